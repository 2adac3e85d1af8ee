import java.time.Instant;
import java.time.temporal.ChronoUnit;

/** Lines for operators on stderr: time, event, key=value. */
final class Log {
  private Log() {}

  static void line(String event, Object... keysAndValues) {
    StringBuilder line = new StringBuilder().append(Instant.now().truncatedTo(ChronoUnit.SECONDS)).append(' ').append(event);
    for (int i = 0; i < keysAndValues.length; i += 2) {
      String value = String.valueOf(keysAndValues[i + 1]);
      String quote = value.indexOf(' ') < 0 ? "" : "\"";
      line.append(' ').append(keysAndValues[i]).append('=').append(quote).append(value).append(quote);
    }
    System.err.println(line);
  }
}
