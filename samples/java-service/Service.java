import com.sun.net.httpserver.HttpServer;
import io.recore.Rec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadPoolExecutor;

/** A recommendation service over HTTP whose model file may be replaced while it serves. See README.md. */
public final class Service {
  private static final int DRAIN_LIMIT_SECONDS = 10; // for requests in flight when the port closes

  private Service() {}

  public static void main(String[] args) throws IOException {
    Options options = Options.parse(args);
    // Settings of the JDK's server. Without the first, an answer waits for the client's delayed ACK.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty("sun.net.httpserver.maxReqTime", "10"); // seconds
    System.setProperty("sun.net.httpserver.maxRspTime", "10");
    System.setProperty("sun.net.httpserver.idleInterval", "120");
    System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
    Rec.version(); // a native library that does not load ends the process here, rather than the watching thread
    HttpServer server = HttpServer.create(new InetSocketAddress(options.address, options.port), 1024);

    Models models = new Models(options);
    var workers = (ThreadPoolExecutor) Executors.newFixedThreadPool(options.workers);
    workers.prestartAllCoreThreads();
    Handler handler = new Handler(models, workers.getQueue(), options.maxWaiting);
    server.createContext("/", handler);
    server.setExecutor(workers);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server, workers, handler, options.lingerSeconds)));
    models.watch();
    server.start();
    System.out.printf("{\"address\":\"%s\",\"port\":%d}%n", options.address, server.getAddress().getPort());
  }

  /**
   * Lets the clients go: for a while every answer closes its connection and /healthz tells the load balancer, then the port
   * closes and requests in flight are finished. Closing at once would cut off requests on the wire.
   */
  private static void drain(HttpServer server, ThreadPoolExecutor workers, Handler handler, int lingerSeconds) {
    Log.line("drain.begin", "in_flight", handler.metrics.inFlight());
    handler.drain();
    pause(1000L * lingerSeconds);
    // stop() closes the port at once, but would wait until the limit even with nothing in flight.
    Thread stopping = new Thread(() -> server.stop(DRAIN_LIMIT_SECONDS));
    stopping.setDaemon(true);
    stopping.start();
    long end = System.nanoTime() + DRAIN_LIMIT_SECONDS * 1_000_000_000L;
    do {
      pause(5);
    } while (workers.getActiveCount() + workers.getQueue().size() > 0 && System.nanoTime() < end);
    if (handler.metrics.inFlight() > 0) {
      Log.line("drain.cut", "in_flight", handler.metrics.inFlight());
    }
    Log.line("drain.end");
    Runtime.getRuntime().halt(0); // otherwise the JVM exits with 143
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
