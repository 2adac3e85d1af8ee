package io.recore;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CoderResult;
import java.util.Arrays;

/**
 * Text between Java and the library: UTF-8, where any other byte becomes a lone surrogate U+DC80 .. U+DCFF and back (as in
 * Python's surrogateescape), so that different byte strings are different Strings.
 */
final class Utf8 {
  private Utf8() {}

  static String decode(byte[] bytes) {
    return decode(bytes, 0, bytes.length);
  }

  static String decode(byte[] bytes, int from, int to) {
    try {
      return UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, from, to - from)).toString();
    } catch (CharacterCodingException e) {
      return decodeWithEscapes(ByteBuffer.wrap(bytes, from, to - from));
    }
  }

  private static String decodeWithEscapes(ByteBuffer in) {
    CharBuffer out = CharBuffer.allocate(in.remaining());
    while (in.hasRemaining()) {
      CoderResult result = UTF_8.newDecoder().decode(in, out, true);
      for (int i = 0; result.isMalformed() && i < result.length(); ++i) {
        out.put((char) (0xDC00 + (in.get() & 0xFF)));
      }
    }
    return out.flip().toString();
  }

  /**
   * @param name the argument's name, for the exception about any other lone surrogate.
   */
  static byte[] encode(String text, String name) {
    for (int i = 0; i < text.length(); ++i) {
      if (isLone(text, i)) {
        return encodeWithEscapes(text, name);
      }
    }
    return text.getBytes(UTF_8);
  }

  private static byte[] encodeWithEscapes(String text, String name) {
    ByteBuffer out = ByteBuffer.allocate(3 * text.length());
    int from = 0;
    for (int i = 0; i <= text.length(); ++i) {
      if (i < text.length() && !isLone(text, i)) {
        continue;
      }
      out.put(text.substring(from, i).getBytes(UTF_8));
      from = i + 1;
      if (i < text.length()) {
        char c = text.charAt(i);
        if (c < 0xDC80 || c > 0xDCFF) {
          throw RecException.invalid(name, "has half of a surrogate pair at " + i + ", which no UTF-8 stands for");
        }
        out.put((byte) c);
      }
    }
    return Arrays.copyOf(out.array(), out.position());
  }

  private static boolean isLone(String text, int i) {
    char c = text.charAt(i);
    if (Character.isHighSurrogate(c)) {
      return i + 1 == text.length() || !Character.isLowSurrogate(text.charAt(i + 1));
    }
    return Character.isLowSurrogate(c) && (i == 0 || !Character.isHighSurrogate(text.charAt(i - 1)));
  }

  /** A name, path or JSON as a C string; null stays null. */
  static byte[] terminated(String text, String name) {
    if (text == null) {
      return null;
    }
    if (text.indexOf('\0') >= 0) {
      throw RecException.invalid(name, "must not contain a NUL character");
    }
    byte[] bytes = encode(text, name);
    return Arrays.copyOf(bytes, bytes.length + 1);
  }
}
