package io.recore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** A few thousand rounds in every run; the long run is make test-lifetimes. */
class LifetimeTest {
  @TempDir Path folder;

  @Test
  void useAfterCloseAndASecondCloseAreHarmless() {
    Dataset dataset = Fixture.orchard.split(Split.leaveOneOut());
    Trainer trainer = new Trainer(Fixture.orchard, TrainOptions.of("popularity"));
    trainer.run();
    Model model = trainer.best();
    Recommender recommender = model.recommender();
    for (AutoCloseable handle : List.of(dataset, trainer, model, recommender)) {
      ((Handle) handle).close();
      ((Handle) handle).close();
      assertTrue(((Handle) handle).isClosed());
    }
    List<Executable> uses = List.of(dataset::describe, () -> dataset.split(Split.leaveOneOut()), () -> dataset.save(folder.resolve("x")),
        () -> Rec.train(dataset, TrainOptions.of("popularity")), trainer::run, trainer::best, () -> trainer.warmStart(Fixture.model),
        model::describe, model::nUsers, () -> model.save(folder.resolve("x")), model::itemVectors, model::recommender,
        () -> model.userIds(0), () -> model.itemRows(Ids.of("a")), () -> model.title("a"), () -> model.evaluate(Fixture.orchard, "ndcg@5"),
        () -> Fixture.model.evaluate(dataset, "ndcg@5"), () -> recommender.recommend("u0061", 3), () -> recommender.similar("film-001", 3),
        () -> recommender.score(Request.of("u0061").candidates(Ids.of("film-001"))),
        () -> recommender.recommendInto(Request.of("u0061"), 1, new long[1], null, null));
    for (Executable use : uses) {
      var error = assertThrows(RecException.Closed.class, use);
      assertTrue(error.getMessage().endsWith("used after close()"), error.getMessage());
      assertEquals("BAD_STATE", error.status());
    }
  }

  @Test
  void objectsPrintTheirCounts() {
    assertEquals("Model bprmf: 600 users, 400 items", Fixture.model.toString());
    Dataset grid = Fixture.grid().build();
    assertEquals("Dataset: 10 users, 10 items, 40 interactions", grid.toString());
    grid.close();
    assertEquals("Dataset, closed", grid.toString());
    Model model = Rec.train(Fixture.orchard, Fixture.small());
    Recommender recommender = model.recommender();
    Trainer trainer = new Trainer(Fixture.orchard, TrainOptions.of("ease").set("lambda", 5.0));
    model.close();
    assertEquals("Model, closed", model.toString());
    assertEquals("Recommender of bprmf: 600 users, 400 items", recommender.toString());
    assertEquals("Trainer ease {lambda=5.0}", trainer.toString());
    assertEquals("Trainer popularity", new Trainer(Fixture.orchard, TrainOptions.of("popularity")).toString());
    recommender.close();
    trainer.close();
    assertEquals("Recommender, closed", recommender.toString());
    assertEquals("Trainer, closed", trainer.toString());
    Report report = Fixture.model.evaluate(Fixture.orchard, "ndcg@5");
    assertTrue(report.toString().matches("ndcg@5=0\\.\\d{4}, \\d+ rows"), report.toString());
    var error = assertThrows(RecException.class, () -> Fixture.model.recommender().recommend("u0061", 0));
    assertEquals("io.recore.RecException$InvalidArgument: " + error.getMessage(), error.toString());
  }

  @Test
  void aRecommenderOutlivesItsModel() {
    long models = Rec.liveObjects().get("model");
    Model model = Rec.train(Fixture.orchard, Fixture.small());
    Recommender recommender = model.recommender(new RecommenderOptions().excludeSeen());
    Request request = Request.of("u0061").deny(Ids.of("film-001"));
    var expected = recommender.recommend(request, 5).strings(0);
    var similar = recommender.similar("film-001", 5);
    model.close();
    assertEquals(expected, recommender.recommend(request, 5).strings(0));
    assertEquals(similar, recommender.similar("film-001", 5));
    assertThrows(RecException.Closed.class, model::recommender);
    recommender.close();
    assertThrows(RecException.Closed.class, () -> recommender.recommend(request, 5));
    assertTrue(Rec.liveObjects().get("model") <= models);
  }

  @Test
  void aHandleOfAnotherKindIsABadStateAndNoCrash() {
    assertThrows(RecException.BadState.class, () -> Raw.rec_model_describe(Fixture.orchard, new byte[1][]));
    assertThrows(RecException.class, () -> Raw.rec_model_describe(null, new byte[1][]));
  }

  @Test
  void childrenKeepWhatTheyNeed() {
    Model model = Rec.train(Fixture.orchard, Fixture.small());
    Recommender recommender = model.recommender();
    List<Scored<String>> expected = recommender.recommend("u0061", 5);
    Dataset dataset = Fixture.orchard.split(Split.ratio(0.8, 0.1, 0.1).seed(9));
    Trainer trainer = new Trainer(dataset, TrainOptions.of("popularity"));
    dataset.close();
    assertTrue(trainer.run());
    model = null;
    System.gc();
    assertEquals(expected, recommender.recommend("u0061", 5));
  }

  private byte[] small() throws Exception {
    Path path = folder.resolve("small.rec");
    try (Dataset dataset = Fixture.grid().build(); Model model = Rec.train(dataset, Fixture.small())) {
      model.save(path);
    }
    return Files.readAllBytes(path);
  }

  /** One of each kind that is closed by hand; a trainer, which takes longer to make than the others together, now and then. */
  private record Objects(Dataset dataset, Model model, Recommender recommender, Trainer trainer) {
    /** Makes the objects of round i and uses them; one call fails, since errors have a lifetime too. */
    static Objects use(byte[] file, int i) {
      Dataset dataset = Fixture.grid().build();
      Trainer trainer = i % 20 == 0 ? new Trainer(dataset, TrainOptions.of("popularity")) : null;
      Model model = Model.load(file);
      Recommender recommender = model.recommender(new RecommenderOptions().callers(1));
      assertEquals(2, recommender.recommend(Ids.of(1, 2), 5).size());
      assertThrows(RecException.InvalidArgument.class, () -> recommender.recommend(1, 0));
      return new Objects(dataset, model, recommender, trainer);
    }

    void close() {
      for (int i = 0; i < 2; ++i) {
        recommender.close();
        model.close();
        dataset.close();
        if (trainer != null) {
          trainer.close();
        }
      }
    }
  }

  private static void collect() throws InterruptedException {
    for (int i = 0; i < 5; ++i) {
      System.gc();
      Thread.sleep(50);
    }
  }

  /** A round holds some 40 KiB, and a thousand objects may wait for the collector. */
  private static void assertDoesNotGrow(int rounds, IntConsumer round) throws Exception {
    IntStream.range(0, 2000).forEach(round);
    collect();
    long before = Fixture.residentKib();
    IntStream.range(0, rounds).forEach(round);
    collect();
    long grown = Fixture.residentKib() - before;
    assertTrue(grown < 48 << 10, "KiB grown: " + grown);
  }

  @Test
  void objectsThatAreClosedDoNotGrowTheProcess() throws Exception {
    byte[] file = small();
    assertDoesNotGrow(Fixture.rounds(5000, 1_000_000), i -> Objects.use(file, i).close());
  }

  @Test
  void objectsThatNobodyClosesAreCollected() throws Exception {
    byte[] file = small();
    assertDoesNotGrow(Fixture.rounds(3000, 100_000), i -> {
      assertEquals(8, Objects.use(file, i).model.itemVectors().columns()); // which nobody can close
    });
  }

  /** Uses that a thread may be in while others close the objects: each is an answer, or RecException.Closed. */
  private static List<Runnable> uses(Objects objects) {
    List<Runnable> uses = new ArrayList<>(List.of(() -> objects.recommender.recommend(Ids.of(3), 2),
        () -> objects.recommender.recommend(Request.of(3).deny(Ids.of(1)), 2), () -> objects.recommender.similar(3, 2),
        objects.model::nItems, objects.model::describe, objects.model::itemVectors, () -> objects.model.recommender().close(),
        () -> objects.model.titles(Ids.of(3)),
        objects.dataset::describe, () -> objects.dataset.split(Split.leaveOneOut()).close()));
    if (objects.trainer != null) {
      uses.add(() -> {
        try {
          objects.trainer.last();
        } catch (RecException.Closed e) {
          throw e;
        } catch (RecException.BadState | RecException.Busy e) {
          // nothing is trained, or the other thread asks
        }
      });
    }
    return uses;
  }

  @Test
  void closingWhileOthersAskIsAnAnswerOrClosed() throws Exception {
    byte[] file = small();
    ExecutorService pool = Executors.newFixedThreadPool(3);
    try {
      long answers = 0;
      for (int round = 0; round < Fixture.rounds(1000, 100_000); ++round) {
        Objects objects = Objects.use(file, round);
        List<Runnable> calls = uses(objects);
        Callable<Integer> ask = () -> {
          int n = 0;
          for (int open = calls.size(); open > 0;) {
            open = 0;
            for (Runnable call : calls) {
              try {
                call.run();
                ++n;
                ++open;
              } catch (RecException.Closed e) {
                // which may happen from now on
              }
            }
          }
          return n;
        };
        List<Future<Integer>> asking = List.of(pool.submit(ask), pool.submit(ask));
        Future<?> closing = pool.submit(objects::close);
        objects.close();
        closing.get();
        for (Future<Integer> one : asking) {
          answers += one.get();
        }
      }
      assertTrue(answers > 0);
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void closingATrainerThatRunsLetsItFinish() throws Exception {
    var pool = Executors.newSingleThreadExecutor();
    try {
      Trainer trainer = new Trainer(Fixture.orchard, Fixture.small().set("epochs", 5));
      CancelToken token = new CancelToken();
      Future<Boolean> running = pool.submit(() -> trainer.run(token));
      Thread.sleep(20);
      trainer.close();
      try {
        assertTrue(running.get());
      } catch (ExecutionException e) {
        assertEquals(RecException.Closed.class, e.getCause().getClass()); // it had not begun
      }
    } finally {
      pool.shutdown();
    }
    Trainer[] own = new Trainer[1];
    own[0] = new Trainer(Fixture.orchard, Fixture.small().onEpoch(event -> {
      own[0].close();
      return true;
    }));
    assertTrue(own[0].run());
  }

  @Test
  void aJvmMayEndUnderATrainingDaemonThread() throws Exception {
    String jar = System.getProperty("recore.test.jar");
    Path program = Files.writeString(folder.resolve("Ends.java"), """
        import io.recore.*;
        public class Ends {
          public static void main(String[] args) throws Exception {
            Dataset data = Dataset.load(java.nio.file.Path.of(args[0])).split(Split.leaveOneOut());
            Thread thread = new Thread(() -> Rec.train(data, TrainOptions.of("bprmf").set("epochs", 1000000).set("patience", 0).onEpoch(e -> true)));
            thread.setDaemon(true);
            thread.start();
            Thread.sleep(300);
            System.out.println("ends");
          }
        }
        """);
    var run = Fixture.java("-Drecore.library.path=" + System.getProperty("recore.library.path"), "-cp", jar, program.toString(), Fixture.ORCHARD.toString());
    assertTrue(run.code() == 0 && run.output().contains("ends\n"), run.toString());
  }
}
