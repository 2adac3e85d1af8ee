import io.recore.Ids;
import io.recore.Recommendations;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;

/** The memory of one request that ranks, reused by the next one. */
final class Answer {
  final LongBuffer rows = direct(Models.MAX_K * 8).asLongBuffer();
  final FloatBuffer scores = direct(Models.MAX_K * 4).asFloatBuffer();
  final IntBuffer status = direct(4).asIntBuffer();
  final StringBuilder text = new StringBuilder();

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  void take(Recommendations similar) {
    rows.put(0, similar.rows(0));
    scores.put(0, similar.scores(0));
  }

  /** {"user":"u1","generation":1,"items":[{"item":"i1","score":0.5,"title":"One"}]}; no title where there is none. */
  void items(Generation generation, String kind, Ids asked, int k) {
    text.append("{\"").append(kind).append("\":");
    id(asked, 0);
    text.append(",\"generation\":").append(generation.number).append(",\"items\":[");
    for (int i = 0; i < k && rows.get(i) >= 0; ++i) {
      int row = (int) rows.get(i);
      text.append(i > 0 ? "," : "").append("{\"item\":");
      id(generation.items, row);
      text.append(",\"score\":").append(scores.get(i));
      String title = generation.titles.string(row);
      if (!title.isEmpty()) {
        text.append(",\"title\":");
        quote(text, title);
      }
      text.append('}');
    }
    text.append("]}");
  }

  /** {"error":"k: must be ..."} */
  static String failure(String why) {
    StringBuilder text = new StringBuilder("{\"error\":");
    quote(text, String.valueOf(why));
    return text.append('}').toString();
  }

  private void id(Ids ids, int i) {
    if (ids == null) {
      text.append("null");
    } else if (ids.isNumeric()) {
      text.append(ids.number(i));
    } else {
      quote(text, ids.string(i));
    }
  }

  /** A JSON string; bytes that are not UTF-8 come out as U+FFFD. */
  private static void quote(StringBuilder text, String string) {
    text.append('"');
    for (int i = 0, c; i < string.length(); i += Character.charCount(c)) {
      c = string.codePointAt(i);
      if (c == '"' || c == '\\') {
        text.append('\\').append((char) c);
      } else if (c < ' ') {
        text.append(String.format("\\u%04x", c));
      } else {
        text.appendCodePoint(Character.getType(c) == Character.SURROGATE ? 0xFFFD : c);
      }
    }
    text.append('"');
  }
}
