import io.recore.RecommenderOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** The current model, and the file that the next one comes from. */
final class Models {
  static final int MAX_K = 1000;
  private static final int POLL_MILLIS = 1000;

  private final Path path;
  private final RecommenderOptions options;
  private final AtomicReference<Generation> current = new AtomicReference<>();
  private final AtomicInteger loaded = new AtomicInteger();
  private final AtomicInteger failures = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();

  Models(Options options) {
    path = options.model;
    this.options = new RecommenderOptions().maxK(MAX_K).callers(options.workers);
    if (options.excludeSeen) {
      this.options.excludeSeen();
    }
  }

  /** The current generation, which the caller must close; null before the first. */
  Generation lease() {
    while (true) {
      Generation generation = current.get();
      if (generation == null || generation.enter()) {
        return generation;
      }
    }
  }

  /** Number of the current generation, from 1; 0 before the first. */
  int generation() {
    return loaded.get();
  }

  int failures() {
    return failures.get();
  }

  /** Models in memory: the current one, and older ones until their last request is answered. */
  int open() {
    return open.get();
  }

  /** What distinguishes one file from the next. */
  private record Seen(Object key, FileTime modified, long size) {
    static Seen of(Path path) {
      try {
        var file = Files.readAttributes(path, BasicFileAttributes.class);
        return new Seen(file.fileKey(), file.lastModifiedTime(), file.size());
      } catch (IOException e) {
        return null;
      }
    }
  }

  /** Checks the file until the process ends. */
  void watch() {
    Thread watcher = new Thread(this::poll, "model-watcher");
    watcher.setDaemon(true);
    watcher.start();
  }

  private void poll() {
    Seen seen = null;
    for (boolean first = true;; first = false) {
      Seen file = Seen.of(path); // before reading it: a replacement in the meantime is seen the next time
      if (first || !Objects.equals(file, seen)) {
        seen = file;
        reload();
      }
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Replaces the current model by the file's; the current one stays if the file is bad. */
  void reload() {
    long start = System.nanoTime();
    Generation next;
    try {
      next = new Generation(path, loaded.get() + 1, open, options);
    } catch (RuntimeException | OutOfMemoryError e) {
      failures.incrementAndGet();
      Log.line("model.refused", "path", path, "error", e.getMessage());
      return;
    }
    Generation old = current.getAndSet(next);
    loaded.set(next.number);
    if (old != null) {
      old.close();
    }
    Log.line("model.loaded", "path", path, "generation", next.number, "ms", (System.nanoTime() - start) / 1_000_000);
  }
}
