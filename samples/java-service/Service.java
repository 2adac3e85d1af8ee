import com.sun.net.httpserver.HttpServer;
import io.recore.Rec;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A recommendation service over HTTP whose model file may be replaced while it serves. See README.md. */
public final class Service {
  private static final int DRAIN_LIMIT_SECONDS = 10; // for requests in flight when the port closes
  private static final int SLOW_CLIENTS = 1000; // connections that may take their time with a request or an answer

  private Service() {}

  public static void main(String[] args) throws IOException {
    Options options = Options.parse(args);
    // Settings of the JDK's server. Without the first, an answer waits for the client's delayed ACK.
    System.setProperty("sun.net.httpserver.nodelay", "true");
    System.setProperty("sun.net.httpserver.maxReqTime", "10"); // seconds, to the end of a body, which is not read
    System.setProperty("sun.net.httpserver.maxRspTime", "10");
    System.setProperty("sun.net.httpserver.idleInterval", "120");
    System.setProperty("sun.net.httpserver.maxIdleConnections", "10000");
    System.setProperty("jdk.httpserver.maxConnections", "10000"); // a further one is closed
    Rec.version(); // a native library that does not load ends the process here, rather than the watching thread
    HttpServer server = HttpServer.create(new InetSocketAddress(options.address, options.port), 1024);

    Models models = new Models(options);
    // A thread for each request from its first byte on; slow clients keep theirs, but no worker. A request that finds none
    // is refused by closing its connection.
    var threads = new ThreadPoolExecutor(0, options.workers + options.maxWaiting + SLOW_CLIENTS, 60, TimeUnit.SECONDS,
        new SynchronousQueue<>());
    Handler handler = new Handler(models, new Workers(options.workers, options.maxWaiting));
    server.createContext("/", handler);
    server.setExecutor(threads);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> drain(server, threads, handler, options.lingerSeconds)));
    models.watch();
    server.start();
    System.out.printf("{\"address\":\"%s\",\"port\":%d}%n", options.address, server.getAddress().getPort());
  }

  /**
   * Lets the clients go: for a while every answer closes its connection and /healthz tells the load balancer, then the port
   * closes and requests in flight are finished. Closing at once would cut off requests on the wire.
   */
  private static void drain(HttpServer server, ThreadPoolExecutor threads, Handler handler, int lingerSeconds) {
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
    } while (threads.getActiveCount() > 0 && System.nanoTime() < end);
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
