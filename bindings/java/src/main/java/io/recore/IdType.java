package io.recore;

import io.recore.internal.Raw;

/** How id columns of a file or stream are read. */
public enum IdType {
  /** int64 when every id is a decimal int64, else bytes. A number and its text are the same id. */
  AUTO(Raw.REC_ID_AUTO),
  INT64(Raw.REC_ID_INT64),
  BYTES(Raw.REC_ID_BYTES);

  final int number;

  IdType(int number) {
    this.number = number;
  }
}
