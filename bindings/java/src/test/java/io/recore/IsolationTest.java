package io.recore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class IsolationTest {
  @TempDir Path folder;

  private byte[] saved(Isolation isolation) throws Exception {
    Path path = folder.resolve(isolation + ".rec");
    try (Model model = Rec.train(Fixture.orchard, Fixture.small().seed(3).isolation(isolation))) {
      model.save(path);
    }
    return Files.readAllBytes(path);
  }

  @Test
  void aWorkerMakesTheSameModel() throws Exception {
    byte[] here = saved(Isolation.IN_PROCESS);
    assertArrayEquals(here, saved(Isolation.PROCESS));
    assertArrayEquals(here, saved(Isolation.AUTO));
    var reports = new double[2][];
    for (Isolation isolation : new Isolation[] {Isolation.IN_PROCESS, Isolation.PROCESS}) {
      reports[isolation.ordinal() - 1] =
          Fixture.model.evaluate(Fixture.orchard, "ndcg@20", Protocol.test(), isolation, null).values("ndcg@20");
    }
    assertArrayEquals(reports[0], reports[1]);
  }

  @Test
  void aCrashIsAnErrorThatNamesTheSignal() {
    Rec.loadPlugin(Path.of(System.getProperty("recore.library.path"), "recore", "evil"));
    var failure = assertThrows(RecException.PluginFailed.class,
        () -> Rec.train(Fixture.orchard, TrainOptions.of("evil_abort").isolation(Isolation.PROCESS)));
    assertTrue(failure.getMessage().contains("was killed by signal 6 (SIGABRT"), failure.getMessage());
    Rec.train(Fixture.orchard, Fixture.small()).close();
  }

  @Test
  void aListenerAndAnInterruptStopAWorker() {
    var enough = new IllegalStateException("enough");
    try (Trainer trainer = new Trainer(Fixture.orchard, Fixture.endless().isolation(Isolation.PROCESS).onEpoch(event -> {
      throw enough;
    }))) {
      assertSame(enough, assertThrows(IllegalStateException.class, trainer::run));
      assertEquals(1L, trainer.last().describe().get("epoch"));
    }
    try (Trainer trainer = new Trainer(Fixture.orchard, Fixture.endless().isolation(Isolation.PROCESS).onEpoch(event -> {
      Thread.currentThread().interrupt();
      return true;
    }))) {
      assertThrows(CancellationException.class, trainer::run);
      Thread.interrupted();
    }
  }
}
