import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/** Counts of requests and how long they took, in the text format of Prometheus. */
final class Metrics {
  // The labels that are distinguished; anything else counts as the last one, so that clients cannot create more.
  private static final String[] PATHS = {"/recommend", "/similar", "/healthz", "/metrics", "other"};
  private static final int[] STATUSES = {200, 400, 404, 405, 501, 503, 500};
  private static final double[] BOUNDS = {1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1}; // seconds

  private final AtomicInteger inFlight = new AtomicInteger();
  private final AtomicLongArray requests = new AtomicLongArray(PATHS.length * STATUSES.length); // by path and status
  private final AtomicLongArray took = new AtomicLongArray(PATHS.length * (BOUNDS.length + 1)); // by path and bound
  private final AtomicLongArray nanos = new AtomicLongArray(PATHS.length);

  int inFlight() {
    return inFlight.get();
  }

  void begin() {
    inFlight.incrementAndGet();
  }

  void end(String path, int status, long nanosTaken) {
    int p = 0;
    while (p < PATHS.length - 1 && !PATHS[p].equals(path)) {
      ++p;
    }
    int s = 0;
    while (s < STATUSES.length - 1 && STATUSES[s] != status) {
      ++s;
    }
    int bound = 0;
    while (bound < BOUNDS.length && nanosTaken > BOUNDS[bound] * 1e9) {
      ++bound;
    }
    requests.incrementAndGet(p * STATUSES.length + s);
    took.incrementAndGet(p * (BOUNDS.length + 1) + bound);
    nanos.addAndGet(p, nanosTaken);
    inFlight.decrementAndGet();
  }

  void write(StringBuilder out, Models models) {
    head(out, "requests_total", "counter", "Requests answered.");
    for (int p = 0; p < PATHS.length; ++p) {
      for (int s = 0; s < STATUSES.length; ++s) {
        long n = requests.get(p * STATUSES.length + s);
        if (n > 0) {
          line(out, "requests_total", p, ",status=\"" + STATUSES[s] + "\"", n);
        }
      }
    }
    head(out, "request_seconds", "histogram", "Time from the request read to the answer written.");
    for (int p = 0; p < PATHS.length; ++p) {
      long n = 0;
      for (int bound = 0; bound <= BOUNDS.length; ++bound) {
        n += took.get(p * (BOUNDS.length + 1) + bound);
        line(out, "request_seconds_bucket", p, ",le=\"" + (bound < BOUNDS.length ? BOUNDS[bound] : "+Inf") + "\"", n);
      }
      line(out, "request_seconds_sum", p, "", nanos.get(p) / 1e9);
      line(out, "request_seconds_count", p, "", n);
    }
    int loaded = models.generation();
    number(out, "requests_in_flight", "gauge", "Requests being answered.", inFlight());
    number(out, "model_generation", "gauge", "Which model answers, from 1; 0 = none yet.", loaded);
    number(out, "model_swaps_total", "counter", "Models replaced by another.", Math.max(loaded - 1, 0));
    number(out, "model_load_failures_total", "counter", "Model files that were refused.", models.failures());
    number(out, "models_open", "gauge",
        "Models in memory: the current one, and older ones until their last request is answered.", models.open());
  }

  private static void head(StringBuilder out, String name, String kind, String help) {
    out.append("# HELP recore_").append(name).append(' ').append(help).append('\n');
    out.append("# TYPE recore_").append(name).append(' ').append(kind).append('\n');
  }

  private static void line(StringBuilder out, String name, int path, String labels, Number value) {
    out.append("recore_").append(name).append("{path=\"").append(PATHS[path]).append('"').append(labels).append("} ")
        .append(value).append('\n');
  }

  private static void number(StringBuilder out, String name, String kind, String help, int value) {
    head(out, name, kind, help);
    out.append("recore_").append(name).append(' ').append(value).append('\n');
  }
}
