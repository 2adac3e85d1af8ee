package io.recore;

import io.recore.internal.Raw;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.AbstractList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A list of user or item ids: int64 numbers, or byte strings of any bytes. A String stands for its UTF-8 bytes; other
 * bytes become lone surrogates U+DC80 .. U+DCFF, so that every id round-trips through String as well as through byte[].
 *
 * <p>Immutable, unless made over a buffer: then it is whatever the buffer holds during a call.
 */
public final class Ids {
  // The bridge reads these four.
  private final int type;
  private final int n;
  private final Object data; // long[], LongBuffer, byte[] or ByteBuffer
  private final Object offsets; // [n + 1] of byte strings, long[] or LongBuffer

  private Ids(int type, int n, Object data, Object offsets) {
    this.type = type;
    this.n = n;
    this.data = data;
    this.offsets = offsets;
  }

  public static Ids of(long... ids) {
    return new Ids(Raw.REC_ID_INT64, ids.length, ids.clone(), null);
  }

  public static Ids of(String... ids) {
    return ofStrings(Arrays.asList(ids));
  }

  public static Ids ofStrings(List<String> ids) {
    return pack(new AbstractList<>() {
      @Override
      public byte[] get(int i) {
        return Utf8.encode(ids.get(i), "ids");
      }

      @Override
      public int size() {
        return ids.size();
      }
    });
  }

  public static Ids ofBytes(byte[]... ids) {
    return pack(Arrays.asList(ids));
  }

  public static Ids ofBytes(List<byte[]> ids) {
    return pack(ids);
  }

  /** Internal rows of a model, which requests accept instead of ids; -1 is a user known only by a history. */
  public static Ids rows(long... rows) {
    return new Ids(Raw.REC_ID_ROW, rows.length, rows.clone(), null);
  }

  /** int64 ids in a direct buffer of native byte order, from its position to its limit; not copied. */
  public static Ids of(LongBuffer ids) {
    return new Ids(Raw.REC_ID_INT64, ids.remaining(), direct(ids), null);
  }

  /** Rows of a model in a direct buffer, like {@link #of(LongBuffer)}. */
  public static Ids rows(LongBuffer rows) {
    return new Ids(Raw.REC_ID_ROW, rows.remaining(), direct(rows), null);
  }

  /** Byte strings in direct buffers, not copied: id i is bytes[offsets[i] .. offsets[i + 1]) from the position of bytes. */
  public static Ids packed(ByteBuffer bytes, LongBuffer offsets) {
    if (!bytes.isDirect() || !offsets.hasRemaining()) {
      throw RecException.invalid("bytes", "must be a direct buffer, with one offset more than there are ids");
    }
    return new Ids(Raw.REC_ID_BYTES, offsets.remaining() - 1, bytes.duplicate(), direct(offsets));
  }

  private static LongBuffer direct(LongBuffer numbers) {
    if (!numbers.isDirect() || numbers.order() != ByteOrder.nativeOrder()) {
      throw RecException.invalid("ids", "must be a direct buffer of native byte order");
    }
    return numbers.duplicate();
  }

  private static Ids pack(List<byte[]> ids) {
    int n = ids.size();
    long[] offsets = new long[n + 1];
    byte[] bytes = new byte[(int) Math.min(16L * n + 64, Integer.MAX_VALUE - 8)];
    for (int i = 0; i < n; ++i) {
      byte[] id = ids.get(i);
      long end = offsets[i] + id.length;
      if (end > bytes.length) {
        if (end > Integer.MAX_VALUE - 8) {
          throw RecException.invalid("ids", "are more than 2 GiB");
        }
        bytes = Arrays.copyOf(bytes, (int) Math.min(2 * end, Integer.MAX_VALUE - 8));
      }
      System.arraycopy(id, 0, bytes, (int) offsets[i], id.length);
      offsets[i + 1] = end;
    }
    return new Ids(Raw.REC_ID_BYTES, n, bytes, offsets);
  }

  /** Ids from the bridge's result: long[] and null, or byte[] and long[]. */
  static Ids ofRaw(Consumer<Object[]> call) {
    Object[] raw = new Object[2];
    call.accept(raw);
    return raw[0] instanceof long[] numbers ? new Ids(Raw.REC_ID_INT64, numbers.length, numbers, null)
        : new Ids(Raw.REC_ID_BYTES, ((long[]) raw[1]).length - 1, raw[0], raw[1]);
  }

  /** Joins lists, one for each user, into one list; fills offsets [lists.size() + 1]. */
  static Ids concat(List<Ids> lists, String name, long[] offsets) {
    int type = lists.isEmpty() ? Raw.REC_ID_INT64 : lists.get(0).type;
    for (int i = 0; i < lists.size(); ++i) {
      Ids list = lists.get(i);
      if (list.type != type && list.n > 0) {
        if (offsets[i] != 0) {
          throw RecException.invalid(name, "list " + i + " has another type of ids than those before it");
        }
        type = list.type;
      }
      offsets[i + 1] = offsets[i] + list.n;
    }
    if (type != Raw.REC_ID_BYTES) {
      long[] numbers = lists.stream().filter(list -> list.n > 0).flatMapToLong(list -> Arrays.stream(list.toLongs())).toArray();
      return new Ids(type, numbers.length, numbers, null);
    }
    return pack(lists.stream().flatMap(list -> list.toBytes().stream()).toList());
  }

  public int size() {
    return n;
  }

  /** Whether the ids are int64 (or rows), not byte strings. */
  public boolean isNumeric() {
    return type != Raw.REC_ID_BYTES;
  }

  /** Id i as text; an int64 in decimal. */
  public String string(int i) {
    return isNumeric() ? Long.toString(number(i)) : Utf8.decode(bytes(i));
  }

  /**
   * Id i of int64 ids.
   *
   * @throws RecException.Unsupported when they are byte strings.
   */
  public long number(int i) {
    if (!isNumeric()) {
      throw RecException.make(Raw.REC_UNSUPPORTED, "ids: are byte strings, not int64", "ids");
    }
    return at(data, i);
  }

  /**
   * A copy of id i of byte strings.
   *
   * @throws RecException.Unsupported when they are int64.
   */
  public byte[] bytes(int i) {
    if (isNumeric()) {
      throw RecException.make(Raw.REC_UNSUPPORTED, "ids: are int64, not byte strings", "ids");
    }
    int from = (int) at(offsets, i);
    byte[] id = new byte[(int) at(offsets, i + 1) - from];
    if (data instanceof ByteBuffer buffer) {
      buffer.get(buffer.position() + from, id);
    } else {
      System.arraycopy(data, from, id, 0, id.length);
    }
    return id;
  }

  private static long at(Object numbers, int i) {
    return numbers instanceof LongBuffer buffer ? buffer.get(buffer.position() + i) : ((long[]) numbers)[i];
  }

  public List<String> toStrings() {
    return IntStream.range(0, n).mapToObj(this::string).toList();
  }

  /** As {@link #number}. */
  public long[] toLongs() {
    return IntStream.range(0, n).mapToLong(this::number).toArray();
  }

  /** As {@link #bytes}. */
  public List<byte[]> toBytes() {
    return IntStream.range(0, n).mapToObj(this::bytes).toList();
  }

  @Override
  public String toString() {
    return n <= 10 ? toStrings().toString() : "[" + n + " ids, the first " + string(0) + "]";
  }
}
