import java.nio.file.Path;

/** The command line. */
final class Options {
  private static final String USAGE = """
      usage: java -cp recore.jar:CLASSES Service --model FILE [options]
        --model FILE       model file, replaced by rename
        --address ADDRESS  address to listen on (default 127.0.0.1)
        --port N           port to listen on; 0 = any, see the line on stdout (default 8080)
        --exclude-seen     leave out what the user had in training
        --workers N        requests that rank at once, 1 to 4096 (default 4 for each processor)
        --max-waiting N    requests that may wait for a worker, 0 to 4096; more are answered with 503 (default 256)
        --linger SECONDS   from SIGTERM until the port closes (default 1)""";

  Path model;
  String address = "127.0.0.1";
  int port = 8080;
  boolean excludeSeen;
  int workers = 4 * Runtime.getRuntime().availableProcessors();
  int maxWaiting = 256;
  int lingerSeconds = 1;

  private Options() {}

  static Options parse(String[] args) {
    Options options = new Options();
    try {
      for (int i = 0; i < args.length; ++i) {
        switch (args[i]) {
          case "--model" -> options.model = Path.of(args[++i]);
          case "--address" -> options.address = args[++i];
          case "--port" -> options.port = Integer.parseInt(args[++i]);
          case "--exclude-seen" -> options.excludeSeen = true;
          case "--workers" -> options.workers = Integer.parseInt(args[++i]);
          case "--max-waiting" -> options.maxWaiting = Integer.parseInt(args[++i]);
          case "--linger" -> options.lingerSeconds = Integer.parseInt(args[++i]);
          default -> throw new IllegalArgumentException(args[i]);
        }
      }
    } catch (IllegalArgumentException | ArrayIndexOutOfBoundsException e) {
      options.model = null;
    }
    if (options.model == null || options.workers < 1 || options.workers > 4096 || options.maxWaiting < 0
        || options.maxWaiting > 4096) {
      System.err.println(USAGE);
      System.exit(2);
    }
    return options;
  }
}
