package io.recore;

import io.recore.internal.Raw;

/** What an interaction is for. */
public enum Part {
  TRAIN(Raw.REC_PART_TRAIN),
  VALID(Raw.REC_PART_VALID),
  TEST(Raw.REC_PART_TEST);

  final int number;

  Part(int number) {
    this.number = number;
  }
}
