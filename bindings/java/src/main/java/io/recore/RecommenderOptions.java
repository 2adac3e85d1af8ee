package io.recore;

/** How a model answers. */
public final class RecommenderOptions {
  boolean excludeSeen;
  boolean strict;
  long maxK;
  int callers;

  /** Leaves out what the user had in training. */
  public RecommenderOptions excludeSeen() {
    excludeSeen = true;
    return this;
  }

  /**
   * A user who cannot be answered, or an unknown item or user of similar(), throws RecException.UnknownId; otherwise its
   * answer is empty.
   * Unknown items of histories and candidates are left out in either case.
   */
  public RecommenderOptions strict() {
    strict = true;
    return this;
  }

  /** Largest k of a request; 0 = 1000. */
  public RecommenderOptions maxK(long k) {
    maxK = k;
    return this;
  }

  /** Threads that may ask at once without waiting; 0 = 64. */
  public RecommenderOptions callers(int n) {
    callers = n;
    return this;
  }
}
