package io.recore;

import io.recore.internal.Raw;

/** How a data set is split into parts; the three shares sum to 1. */
public record Split(Kind kind, double train, double valid, double test, long seed) {
  public enum Kind {
    /** By user, shuffled: shares of each user's interactions. */
    RATIO(Raw.REC_SPLIT_RATIO),
    /** By user in time order: the last to test, the last but one to valid. */
    LEAVE_ONE_OUT(Raw.REC_SPLIT_LEAVE_ONE_OUT),
    /** Over all interactions in time order. */
    TEMPORAL(Raw.REC_SPLIT_TEMPORAL),
    /** Whole users (sessions) by the time of their last event. */
    SESSION(Raw.REC_SPLIT_SESSION),
    /** Shuffled across all users. */
    RATIO_GLOBAL(Raw.REC_SPLIT_RATIO_GLOBAL);

    final int number;

    Kind(int number) {
      this.number = number;
    }
  }

  /** Shares 0.8, 0.1 and 0.1. */
  public static Split by(Kind kind) {
    return new Split(kind, 0.8, 0.1, 0.1, 0);
  }

  public static Split ratio(double train, double valid, double test) {
    return by(Kind.RATIO).shares(train, valid, test);
  }

  public static Split leaveOneOut() {
    return by(Kind.LEAVE_ONE_OUT);
  }

  public Split shares(double train, double valid, double test) {
    return new Split(kind, train, valid, test, seed);
  }

  public Split seed(long seed) {
    return new Split(kind, train, valid, test, seed);
  }
}
