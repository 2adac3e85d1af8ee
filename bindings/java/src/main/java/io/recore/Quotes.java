package io.recore;

import io.recore.internal.Raw;

/** What a quote means in a CSV or TSV file. */
public enum Quotes {
  /** As in CSV, but in tab-separated files only where a quoted cell ends in its line. */
  AUTO(Raw.REC_QUOTES_AUTO),
  /** A quoted cell may hold separators and line ends. */
  CSV(Raw.REC_QUOTES_CSV),
  /** A quote is a character. */
  NONE(Raw.REC_QUOTES_NONE);

  final int number;

  Quotes(int number) {
    this.number = number;
  }
}
