import io.recore.Dataset;
import io.recore.Model;
import io.recore.Rec;
import io.recore.RecException;
import io.recore.TrainOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A replaced model stays open until its last user has left: java ... LeaseTest DATA */
final class LeaseTest {
  private LeaseTest() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    Path file = Files.createTempFile("lease", ".rec");
    try {
      try (Dataset data = Dataset.load(Path.of(args[0])); Model model = Rec.train(data, TrainOptions.of("popularity"))) {
        model.save(file);
      }
      Models models = new Models(Options.parse(new String[] {"--model", file.toString()}));
      models.reload();
      replaceUnderALease(models);
      leaseAndReloadAtOnce(models);
    } finally {
      Files.delete(file);
    }
  }

  private static void replaceUnderALease(Models models) {
    Generation old = models.lease();
    models.reload();
    try (Generation now = models.lease()) {
      check(now != old && now.number == 2, "generation " + now.number + " answers");
    }
    check(models.open() == 2, models.open() + " models are open, of which one is leased and one is current");
    check(old.recommender.recommend("u0061", 3).size() == 3, "the leased model answers");
    old.close();
    check(models.open() == 1, models.open() + " models are open");
    check(!old.enter(), "a closed generation can be entered");
    try {
      old.recommender.recommend("u0061", 3);
      check(false, "the last has left, and it is not closed");
    } catch (RecException.Closed e) {
      // as it should be
    }
  }

  private static void leaseAndReloadAtOnce(Models models) throws InterruptedException {
    Thread[] askers = new Thread[4];
    Throwable[] failure = new Throwable[1];
    for (int i = 0; i < askers.length; ++i) {
      askers[i] = new Thread(() -> {
        while (!Thread.currentThread().isInterrupted()) {
          try (Generation generation = models.lease()) {
            generation.recommender.recommend("u0061", 3);
          } catch (RuntimeException e) {
            failure[0] = e;
          }
        }
      });
      askers[i].start();
    }
    for (int i = 0; i < 100; ++i) {
      models.reload();
    }
    for (Thread asker : askers) {
      asker.interrupt();
      asker.join();
    }
    check(failure[0] == null, "a lease met " + failure[0]);
    check(models.open() == 1 && models.failures() == 0, models.open() + " models are open");
  }

  private static void check(boolean good, String otherwise) {
    if (!good) {
      throw new AssertionError(otherwise);
    }
  }
}
