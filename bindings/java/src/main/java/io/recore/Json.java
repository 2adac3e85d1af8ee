package io.recore;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The library's JSON: objects become Map, lists List, numbers Long or Double, null null. */
final class Json {
  private final String text;
  private int at;

  private Json(String text) {
    this.text = text;
  }

  static Object parse(String text) {
    return new Json(text).value();
  }

  /** The text that a call puts into its one-element array. */
  static Object read(Consumer<byte[][]> call) {
    byte[][] out = new byte[1][];
    call.accept(out);
    return parse(Utf8.decode(out[0]));
  }

  /** The same for a JSON object. */
  @SuppressWarnings("unchecked")
  static Map<String, Object> object(Consumer<byte[][]> call) {
    return (Map<String, Object>) read(call);
  }

  private Object value() {
    switch (next()) {
      case '{':
        return object();
      case '[':
        return list();
      case '"':
        return string();
      default:
        return word();
    }
  }

  private char next() {
    while (Character.isWhitespace(text.charAt(at))) {
      ++at;
    }
    return text.charAt(at);
  }

  private Map<String, Object> object() {
    Map<String, Object> members = new LinkedHashMap<>();
    for (++at; next() != '}'; skipComma()) {
      next();
      String name = string();
      next();
      ++at; // ':'
      members.put(name, value());
    }
    ++at;
    return members;
  }

  private List<Object> list() {
    List<Object> elements = new ArrayList<>();
    for (++at; next() != ']'; skipComma()) {
      elements.add(value());
    }
    ++at;
    return elements;
  }

  private void skipComma() {
    if (next() == ',') {
      ++at;
    }
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    for (++at; text.charAt(at) != '"'; ++at) {
      char c = text.charAt(at);
      if (c == '\\') {
        c = text.charAt(++at);
        switch (c) {
          case 'n' -> c = '\n';
          case 't' -> c = '\t';
          case 'r' -> c = '\r';
          case 'b' -> c = '\b';
          case 'f' -> c = '\f';
          case 'u' -> {
            c = (char) Integer.parseInt(text, at + 1, at + 5, 16);
            at += 4;
          }
          default -> {}
        }
      }
      out.append(c);
    }
    ++at;
    return out.toString();
  }

  private Object word() {
    int from = at;
    while (at < text.length() && ",]}".indexOf(text.charAt(at)) < 0 && !Character.isWhitespace(text.charAt(at))) {
      ++at;
    }
    String word = text.substring(from, at);
    return switch (word) {
      case "null" -> null;
      case "true" -> true;
      case "false" -> false;
      default -> number(word);
    };
  }

  private static Object number(String word) {
    try {
      return Long.valueOf(word);
    } catch (NumberFormatException e) {
      return Double.valueOf(word);
    }
  }

  /** Parameters of a model: numbers, texts, booleans, or lists of them. */
  static String write(Map<String, Object> parameters) {
    StringBuilder out = new StringBuilder("{");
    parameters.forEach((name, value) -> {
      out.append(out.length() > 1 ? "," : "");
      quote(out, name);
      out.append(':');
      write(out, name, value);
    });
    return out.append('}').toString();
  }

  /** One such value. */
  static String value(String name, Object value) {
    StringBuilder out = new StringBuilder();
    write(out, name, value);
    return out.toString();
  }

  private static void write(StringBuilder out, String name, Object value) {
    if (value instanceof String text) {
      quote(out, text);
    } else if (value instanceof Boolean || value instanceof Long || value instanceof Integer || value instanceof Short
        || value instanceof Byte || value instanceof Double d && Double.isFinite(d)
        || value instanceof Float f && Float.isFinite(f)) {
      out.append(value);
    } else if (value instanceof Collection<?> elements) {
      String separator = "[";
      for (Object element : elements) {
        out.append(separator);
        write(out, name, element);
        separator = ",";
      }
      out.append(elements.isEmpty() ? "[]" : "]");
    } else {
      throw RecException.invalid(name, "must be a finite number, a text, a boolean or a list of them, got " + value);
    }
  }

  static void quote(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); ++i) {
      char c = text.charAt(i);
      if (c < ' ') {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c == '"' || c == '\\' ? "\\" : "").append(c);
      }
    }
    out.append('"');
  }
}
