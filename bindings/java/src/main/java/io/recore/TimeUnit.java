package io.recore;

import io.recore.internal.Raw;

/** The unit of times that are numbers. */
public enum TimeUnit {
  /** By the size of most numbers: seconds below 10^11, milliseconds below 10^14, and so on. */
  AUTO(Raw.REC_TIME_AUTO),
  SECONDS(Raw.REC_TIME_SECONDS),
  MILLISECONDS(Raw.REC_TIME_MILLISECONDS),
  MICROSECONDS(Raw.REC_TIME_MICROSECONDS),
  NANOSECONDS(Raw.REC_TIME_NANOSECONDS);

  final int number;

  TimeUnit(int number) {
    this.number = number;
  }
}
