package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.function.Consumer;

/**
 * A float matrix, row by row, over the model's own memory; it outlives the model's close().
 *
 * @param data [rows * columns], read-only. The memory lives as long as this buffer or one made from it.
 */
public record Vectors(FloatBuffer data, int rows, int columns) {
  static Vectors ofRaw(Consumer<Object[]> call) {
    Object[] raw = new Object[2];
    call.accept(raw);
    ByteBuffer memory = (ByteBuffer) raw[0];
    long[] facts = (long[]) raw[1];
    Handle.endWith(memory, Raw.REC_JAVA_TENSOR, facts[0]); // views of a buffer refer to it
    FloatBuffer data = memory.order(ByteOrder.nativeOrder()).asFloatBuffer().asReadOnlyBuffer();
    return new Vectors(data, (int) facts[1], (int) facts[2]);
  }

  /** A copy of one row. */
  public float[] row(int i) {
    float[] row = new float[columns];
    data.get(i * columns, row);
    return row;
  }
}
