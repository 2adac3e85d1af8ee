import io.recore.Ids;
import io.recore.Model;
import io.recore.Recommender;
import io.recore.RecommenderOptions;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** One model with what an answer needs. The last request to use it closes it, so no request meets a closed object. */
final class Generation implements AutoCloseable {
  final int number;
  final Model model;
  final Recommender recommender;
  final Ids items; // by row
  final Ids titles; // by row, "" for none
  final boolean numericUsers; // ids are int64, not text
  private final AtomicInteger open;
  private final AtomicInteger uses = new AtomicInteger(1);

  Generation(Path path, int number, AtomicInteger open, RecommenderOptions options) {
    this.number = number;
    this.open = open;
    model = Model.load(path);
    try {
      items = model.itemIds();
      titles = model.titles(items);
      numericUsers = model.userIds(-1).isNumeric();
      recommender = model.recommender(options);
    } catch (RuntimeException e) {
      model.close();
      throw e;
    }
    open.incrementAndGet();
  }

  /** False once the last user has left. */
  boolean enter() {
    return uses.getAndUpdate(n -> n == 0 ? 0 : n + 1) > 0;
  }

  /** Leaves. */
  @Override
  public void close() {
    if (uses.decrementAndGet() == 0) {
      recommender.close();
      model.close();
      open.decrementAndGet();
    }
  }
}
