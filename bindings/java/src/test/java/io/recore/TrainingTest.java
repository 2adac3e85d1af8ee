package io.recore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class TrainingTest {
  @TempDir Path folder;

  @Test
  void eventsComeOnTheThreadThatTrains() {
    List<Event> epochs = new ArrayList<>();
    Set<Event.Kind> kinds = new HashSet<>();
    Set<Thread> threads = new HashSet<>();
    Model model = Rec.train(Fixture.orchard, Fixture.small().set("epochs", 3).seed(5).metrics("ndcg@20,recall@10").mainMetric("recall@10")
        .onEpoch(epochs::add).onEvent(event -> kinds.add(event.kind()) | threads.add(Thread.currentThread()) | true));
    assertEquals(List.of(1L, 2L, 3L), epochs.stream().map(Event::epoch).toList());
    assertEquals(List.of("ndcg@20", "recall@10"), List.copyOf(epochs.get(0).metrics().keySet()));
    assertTrue(epochs.get(0).isBest() && epochs.get(0).loss() > 0 && epochs.get(0).nEpochs() == 3);
    assertTrue(kinds.containsAll(List.of(Event.Kind.START, Event.Kind.EPOCH)));
    assertEquals(Set.of(Thread.currentThread()), threads);
    assertEquals(5L, ((Map<?, ?>) model.describe().get("parameters")).get("seed"));
  }

  @Test
  void falseFromAListenerStopsEarlyAndTrainingMayGoOn() {
    List<Long> epochs = new ArrayList<>();
    TrainOptions options = Fixture.small().set("epochs", 40).set("patience", 0).onEpoch(event -> epochs.add(event.epoch()) && event.epoch() != 2);
    try (Trainer trainer = new Trainer(Fixture.orchard, options)) {
      assertFalse(trainer.run());
      assertEquals(List.of(1L, 2L), epochs);
      long last = (long) trainer.last().describe().get("epoch");
      assertTrue(last >= 2);
      assertTrue(trainer.run());
      assertEquals(40L, trainer.last().describe().get("epoch"));
    }
  }

  @Test
  void whatAListenerThrowsStopsTrainingAndIsThrownAsItIs() {
    class Mine extends RuntimeException {
      private static final long serialVersionUID = 1L;
    }
    Mine mine = new Mine();
    try (Trainer trainer = new Trainer(Fixture.orchard, Fixture.endless().onEpoch(event -> {
      throw mine;
    }))) {
      assertSame(mine, assertThrows(Mine.class, trainer::run));
      assertEquals(400, trainer.last().nItems());
    }
    Error error = new StackOverflowError();
    TrainOptions options = Fixture.endless().onEvent(event -> {
      throw error;
    });
    assertSame(error, assertThrows(StackOverflowError.class, () -> Rec.train(Fixture.orchard, options)));
  }

  @Test
  void aListenerMayUseTheLibraryButNotItsOwnTrainer() {
    List<Object> seen = new ArrayList<>();
    Trainer[] trainer = new Trainer[1];
    trainer[0] = new Trainer(Fixture.orchard, TrainOptions.of("popularity").onEpoch(event -> {
      seen.add(Fixture.orchard.describe().get("n_users"));
      assertThrows(RecException.Busy.class, () -> trainer[0].last());
      return seen.add(assertThrows(RecException.Busy.class, () -> trainer[0].run()).status());
    }));
    trainer[0].run();
    assertEquals(List.of(600L, "BUSY"), seen.subList(0, 2));
  }

  /** Trains until stopped by stop, which gets the training thread; then reports how the run ended. */
  private interface Stop {
    void stop(Thread thread, CancelToken token) throws Exception;
  }

  private static void assertStops(Stop stop, boolean isInterrupted) throws Exception {
    CancelToken token = new CancelToken();
    CountDownLatch started = new CountDownLatch(2);
    try (Trainer trainer = new Trainer(Fixture.orchard, Fixture.endless().onEpoch(event -> {
      started.countDown();
      return true;
    }))) {
      Throwable[] thrown = new Throwable[1];
      boolean[] flag = new boolean[1];
      Thread thread = new Thread(() -> {
        thrown[0] = assertThrows(Throwable.class, () -> trainer.run(token));
        flag[0] = Thread.currentThread().isInterrupted();
      });
      thread.start();
      started.await();
      long start = System.nanoTime();
      stop.stop(thread, token);
      thread.join();
      assertEquals(CancellationException.class, thrown[0].getClass());
      assertEquals(RecException.Cancelled.class, thrown[0].getCause().getClass());
      assertEquals(isInterrupted, flag[0]);
      assertTrue(System.nanoTime() - start < 1_000_000_000L);
      assertTrue((long) trainer.last().describe().get("epoch") >= 2);
      assertEquals(3, trainer.last().recommender().recommend("u0061", 3).size());
    }
  }

  @Test
  void aTokenStopsAndTheLastFinishedEpochIsKept() throws Exception {
    assertStops((thread, token) -> token.cancel(), false);
  }

  @Test
  void anInterruptStopsAndItsFlagIsKept() throws Exception {
    assertStops((thread, token) -> thread.interrupt(), true);
  }

  @Test
  void aCancelledTokenOrAnInterruptedThreadBeginsNothing() {
    CancelToken token = new CancelToken();
    token.cancel();
    assertTrue(token.isCancelled());
    assertThrows(CancellationException.class, () -> Rec.train(Fixture.orchard, Fixture.endless(), token));
    assertThrows(CancellationException.class, () -> Dataset.read(Fixture.ORCHARD).cancel(token).load());
    assertThrows(CancellationException.class, () -> Fixture.model.evaluate(Fixture.orchard, "ndcg@20", Protocol.test(), token));
    Thread.currentThread().interrupt();
    try {
      assertThrows(CancellationException.class, () -> Rec.train(Fixture.orchard, Fixture.endless()));
      assertTrue(Thread.currentThread().isInterrupted());
    } finally {
      Thread.interrupted();
    }
    assertEquals(400, Rec.train(Fixture.orchard, Fixture.small(), new CancelToken()).nItems());
  }

  @Test
  void trainingIsResumedFromACheckpoint() {
    Path path = folder.resolve("rün.ckpt");
    try (Model whole = Rec.train(Fixture.orchard, Fixture.small().set("epochs", 4).set("patience", 0))) {
      TrainOptions options = Fixture.small().set("epochs", 4).set("patience", 0).checkpoint(path).checkpointBatches(5).checkpointSeconds(1000);
      try (Trainer trainer = new Trainer(Fixture.orchard, options.onEpoch(event -> event.epoch() < 2))) {
        assertFalse(trainer.run());
      }
      assertTrue(Files.exists(path));
      List<Event> events = new ArrayList<>();
      try (Model resumed = Rec.train(Fixture.orchard, options.resume().onEpoch(event -> true).onEvent(events::add))) {
        assertTrue(events.get(0).epoch() > 1 || events.get(0).batch() > 0);
        assertEquals(whole.itemVectors().data(), resumed.itemVectors().data());
      }
    }
  }

  @Test
  void aModelStartsFromAnother() {
    Model first = Rec.train(Fixture.orchard, Fixture.small());
    try (Trainer trainer = new Trainer(Fixture.orchard, Fixture.small().set("epochs", 1).set("lr", 1e-8))) {
      trainer.warmStart(first);
      trainer.run();
      float[] before = first.itemVectors().row(0);
      assertArrayEquals(before, trainer.best().itemVectors().row(0), 1e-5f);
    }
    Dataset other = Dataset.columns(Ids.of(1, 1, 2, 2), Ids.of(1, 2, 1, 2)).build();
    try (Trainer trainer = new Trainer(other, Fixture.small())) {
      assertThrows(RecException.InvalidArgument.class, () -> trainer.warmStart(first));
    }
  }

  @Test
  void anEvaluationHasMeansAndAValueForEveryRow() {
    Report kept = Fixture.model.evaluate(Fixture.orchard, "recall@5", Protocol.test().keepLists(5));
    double[] recall = kept.values("recall@5");
    assertEquals(kept.nRows(), kept.lists().size());
    assertEquals(kept.nRows(), kept.interactions().length);
    for (int row = 0; row < kept.nRows(); ++row) {
      Report.RankedList list = kept.lists().get(row);
      int hits = 0;
      for (int i = 0; i < list.scores().length; ++i) {
        hits += list.relevant()[i] ? 1 : 0;
        assertTrue(i == 0 || list.scores()[i] <= list.scores()[i - 1]);
      }
      assertEquals(list.items().size(), list.scores().length);
      assertEquals(hits > 0, recall[row] > 0);
    }
    Report report = Fixture.model.evaluate(Fixture.orchard, "recall@20,ndcg@20");
    assertTrue(report.lists().isEmpty());
    assertEquals(List.of("recall@20", "ndcg@20"), report.metrics());
    for (String metric : report.metrics()) {
      double[] values = report.values(metric);
      assertEquals(report.nRows(), values.length);
      assertEquals(report.mean(metric), Arrays.stream(values).filter(v -> !Double.isNaN(v)).average().orElseThrow(), 1e-12);
    }
    assertTrue(report.mean("ndcg@20") > 0.01 && report.nRows() > 500);
    assertArrayEquals(report.userRows(), Fixture.model.userRows(report.users()));
    Protocol sampled = Protocol.valid().rows(Protocol.Rows.EVENT).candidates(Protocol.Candidates.UNIFORM, 20, 7)
        .mask(Protocol.Mask.TRAIN).ties(Protocol.Ties.AGAINST_TARGET).history(Protocol.History.TRAINING);
    Report events = Fixture.model.evaluate(Fixture.orchard, "hit@10", sampled);
    assertEquals(Fixture.orchard.describe().get("n_valid"), (long) events.nRows());
    assertEquals("hit@10[uni20][training]", events.metrics().get(0));
    assertEquals(events.mean("hit@10"), events.mean(events.metrics().get(0)));
    assertEquals(events.mean("hit@10"), Fixture.model.evaluate(Fixture.orchard, "hit@10", sampled.threads(1)).mean("hit@10"));
    assertThrows(RecException.InvalidArgument.class, () -> events.mean("ndcg@10"));
    var unknown = assertThrows(RecException.InvalidArgument.class, () -> Fixture.model.evaluate(Fixture.orchard, "ndgc@20"));
    assertTrue(unknown.getMessage().contains("ndcg"), unknown.getMessage());
  }

  @Test
  void listsAndLabelsAreTrainedAndJudgedByTheirRows() {
    List<Long> users = new ArrayList<>();
    List<Long> items = new ArrayList<>();
    List<Long> pages = new ArrayList<>();
    for (long page = 0; page < 10; ++page) {
      for (long u = 0; u < 12; ++u) {
        for (long i = 0; i < 10; ++i) {
          if ((u + i + page) % 3 != 0) {
            users.add(u);
            items.add(i);
            pages.add(page);
          }
        }
      }
    }
    int n = users.size();
    float[] labels = new float[n];
    Part[] parts = new Part[n];
    long[] impressions = new long[n];
    for (int i = 0; i < n; ++i) {
      labels[i] = users.get(i) % 2 == items.get(i) % 2 ? 1 : 0;
      parts[i] = pages.get(i) < 8 ? Part.TRAIN : pages.get(i) == 8 ? Part.VALID : Part.TEST;
      impressions[i] = pages.get(i);
    }
    Dataset dataset = Dataset.columns(Fixture.numbers(users), Fixture.numbers(items)).labels(labels).parts(parts).impressions(impressions).build();
    TrainOptions options = Fixture.small().set("batch_size", 64).set("lr", 0.05).set("epochs", 15);
    Model lists = Rec.train(dataset, options.set("task", "impression"));
    Report report = lists.evaluate(dataset, "rechorus.ndcg@5", Protocol.test().rows(Protocol.Rows.LIST).listSlots(3, 20), null);
    assertEquals(12, report.nRows());
    assertTrue(report.mean("rechorus.ndcg@5") > 0.9, report.toString());
    Model ctr = Rec.train(dataset, options.set("task", "ctr").set("epochs", 25).set("label_loss", "mse"));
    assertTrue(ctr.evaluate(dataset, "auc,mae", Protocol.test().rows(Protocol.Rows.LABEL), null).mean("auc") > 0.9);
  }

  @Test
  void aBadParameterIsNamed() {
    record Bad(String name, Object value, Class<? extends RecException> error) {}
    for (Bad bad : List.of(new Bad("emb_sise", 8, RecException.InvalidArgument.class), new Bad("emb_size", 0, RecException.InvalidArgument.class),
        new Bad("emb_size", "many", RecException.InvalidArgument.class), new Bad("lr", new Object(), RecException.InvalidArgument.class),
        new Bad("lr", Double.NaN, RecException.InvalidArgument.class), new Bad("device", "cuda", RecException.Device.class))) {
      var error = assertThrows(bad.error(), () -> Rec.train(Fixture.orchard, TrainOptions.of("bprmf").set(bad.name(), bad.value())), bad.toString());
      assertEquals(bad.name(), error.argument());
    }
    var error = assertThrows(RecException.NotFound.class, () -> new Trainer(Fixture.orchard, TrainOptions.of("bprfm")));
    assertTrue(error.getMessage().contains("bprmf"), error.getMessage());
    assertThrows(RecException.Limit.class, () -> new Trainer(Fixture.orchard, TrainOptions.of("bprmf").memoryLimit(1000)).run());
    try (Trainer trainer = new Trainer(Fixture.orchard, TrainOptions.of("bprmf"))) {
      assertThrows(RecException.BadState.class, trainer::best);
    }
  }

  @Test
  void parametersOfEveryKindAreWritten() {
    Map<String, Object> given = new LinkedHashMap<>();
    given.put("a", List.of(1, "\"q\\\n😀", true, 0.5f));
    given.put("b", List.of());
    given.put("c", Long.MIN_VALUE);
    assertEquals("{\"a\":[1,\"\\\"q\\\\\\u000a😀\",true,0.5],\"b\":[],\"c\":-9223372036854775808}", Json.write(given));
    Map<?, ?> same = (Map<?, ?>) Json.parse(Json.write(given));
    assertEquals(List.of(1L, "\"q\\\n😀", true, 0.5), same.get("a"));
  }

  @Test
  void pluginsAreListedDescribedAndLoaded() {
    Map<String, Plugin> plugins = Rec.plugins().stream().collect(Collectors.toMap(Plugin::name, plugin -> plugin));
    assertTrue(plugins.keySet().containsAll(List.of("bprmf", "lightgcn", "popularity", "itemknn", "ease")), plugins.toString());
    Map<?, ?> epochs = ((List<?>) Rec.describePlugin("bprmf").get("parameters")).stream().map(p -> (Map<?, ?>) p)
        .filter(p -> "epochs".equals(p.get("name"))).findFirst().orElseThrow();
    assertEquals("core", epochs.get("owner"));
    Path file = Path.of(plugins.get("bprmf").path());
    Rec.loadPlugin(file);
    Rec.loadPlugin(file.getParent());
    assertThrows(RecException.NotFound.class, () -> Rec.loadPlugin(Path.of("/nowhere/librecore_x.so")));
    assertThrows(RecException.NotFound.class, () -> Rec.describePlugin("bprfm"));
    assertTrue(Rec.version().matches("\\d+\\.\\d+\\.\\d+"));
  }

  @Test
  void logLinesComeThroughTheSystemLogger() {
    List<LogRecord> records = new ArrayList<>();
    Handler handler = new Handler() {
      @Override
      public void publish(LogRecord record) {
        records.add(record);
        throw new IllegalStateException("a logger that fails");
      }

      @Override
      public void flush() {}

      @Override
      public void close() {}
    };
    Logger logger = Logger.getLogger("io.recore");
    logger.addHandler(handler);
    logger.setUseParentHandlers(false);
    logger.setLevel(Level.FINE);
    try {
      TrainOptions options = Fixture.small().checkpoint(folder.resolve("r.ckpt")).checkpointBatches(1);
      Rec.train(Fixture.orchard, options);
      Rec.deliverLog();
      List<LogRecord> ours = records.stream().filter(record -> record.getMessage().startsWith("checkpoint path=")).toList();
      assertFalse(ours.isEmpty());
      assertEquals(Level.FINE, ours.get(0).getLevel());
      records.clear();
      logger.setLevel(Level.WARNING);
      Rec.train(Fixture.orchard, options);
      assertEquals(List.of(), records);
    } finally {
      logger.removeHandler(handler);
      logger.setUseParentHandlers(true);
      logger.setLevel(null);
    }
  }

  @Test
  void aTunerAsksIsToldAndGoesOnFromItsJournal() {
    TunerOptions options = new TunerOptions().logRange("lr", 1e-3, 0.1).range("n", 1, 3).choices("loss", "bpr", "ce")
        .sampler(TunerOptions.Sampler.RANDOM).trials(3).journal(folder.resolve("j"));
    Map<String, Object> table = null;
    for (int run = 0; run < 2; ++run) {
      try (Tuner tuner = new Tuner(options)) {
        assertThrows(RecException.Busy.class, () -> new Tuner(options));
        for (var trial = tuner.ask(); trial.isPresent(); trial = tuner.ask()) {
          assertTrue(trial.get().parameters().get("n") instanceof Long);
          assertFalse(tuner.report(trial.get(), 1, 0.5));
          if (trial.get().number() == 1) {
            tuner.tellFailed(trial.get(), "it failed");
          } else {
            tuner.tell(trial.get(), (double) trial.get().parameters().get("lr"));
          }
        }
        assertTrue(table == null || table.equals(tuner.describe()));
        table = tuner.describe();
      }
    }
    assertEquals(3, ((List<?>) table.get("trials")).size());
    assertEquals("it failed", ((Map<?, ?>) ((List<?>) table.get("trials")).get(1)).get("message"));
    assertEquals("seed", assertThrows(RecException.InvalidArgument.class, () -> new Tuner(options.seed(4))).argument());
  }

  @Test
  void aPrunerSaysWhichTrialsEnd() {
    try (Tuner tuner = new Tuner(new TunerOptions().choices("a", 1, 2).sampler(TunerOptions.Sampler.GRID).pruner(TunerOptions.Pruner.HALVING))) {
      for (boolean prunes : new boolean[] {false, true}) {
        Tuner.Trial trial = tuner.ask().orElseThrow();
        assertEquals(prunes, tuner.report(trial, 1, -trial.number()));
        tuner.tellPruned(trial);
      }
    }
  }
}
