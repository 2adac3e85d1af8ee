import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.recore.Ids;
import java.net.URLDecoder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Parameters of a request. Of several with the same name the first counts. */
final class Query {
  private final Map<String, String> values = new HashMap<>(); // a character for each byte, since ids may be any bytes

  Query(String raw) {
    try {
      for (String pair : raw == null ? new String[0] : raw.split("&")) {
        int equals = pair.indexOf('=');
        String name = equals < 0 ? pair : pair.substring(0, equals);
        String value = equals < 0 ? "" : pair.substring(equals + 1);
        values.putIfAbsent(URLDecoder.decode(name, ISO_8859_1), URLDecoder.decode(value, ISO_8859_1));
      }
    } catch (IllegalArgumentException e) {
      throw new Refusal(400, "query: is not percent-encoded");
    }
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  String text(String name) {
    return new String(bytes(values.get(name)), UTF_8);
  }

  int k(int otherwise, int most) {
    try {
      int k = has("k") ? Integer.parseInt(values.get("k")) : otherwise;
      if (k >= 1 && k <= most) {
        return k;
      }
    } catch (NumberFormatException e) {
      // refused below
    }
    throw new Refusal(400, "k: must be a number between 1 and " + most + ", got '" + text("k") + "'");
  }

  /** A parameter that is one id. */
  Ids ids(String name, boolean numeric) {
    return ids(name, numeric, values.get(name));
  }

  /** A parameter that is a comma-separated list of ids. */
  Ids list(String name, boolean numeric) {
    return ids(name, numeric, values.get(name).split(",", -1));
  }

  private static Ids ids(String name, boolean numeric, String... ids) {
    if (!numeric) {
      return Ids.ofBytes(Arrays.stream(ids).map(Query::bytes).toList());
    }
    long[] numbers = new long[ids.length];
    for (int i = 0; i < ids.length; ++i) {
      try {
        numbers[i] = Long.parseLong(ids[i]);
      } catch (NumberFormatException e) {
        throw new Refusal(400, name + ": this model's ids are int64, got '" + new String(bytes(ids[i]), UTF_8) + "'");
      }
    }
    return Ids.of(numbers);
  }

  private static byte[] bytes(String characters) {
    return characters.getBytes(ISO_8859_1);
  }
}
