package io.recore;

import io.recore.internal.Raw;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * What training reports.
 *
 * @param epoch   from 1.
 * @param batch   batches done in this epoch, of nBatches.
 * @param loss    mean batch loss of the epoch so far; NaN for a model without a loss.
 * @param trainSeconds of this epoch, like evalSeconds.
 * @param metrics of an EPOCH with an evaluation, by name in their order; else empty.
 * @param isBest  this epoch is the best so far.
 */
public record Event(Kind kind, long epoch, long nEpochs, long batch, long nBatches, double loss, double trainSeconds,
    double evalSeconds, Map<String, Double> metrics, boolean isBest) {
  public enum Kind {
    /** Before the first batch. */
    START(Raw.REC_EVENT_START),
    /** Within an epoch, at most every 100 ms. */
    PROGRESS(Raw.REC_EVENT_PROGRESS),
    /** An epoch and its evaluation are done. */
    EPOCH(Raw.REC_EVENT_EPOCH),
    /** A checkpoint is on disk. */
    CHECKPOINT(Raw.REC_EVENT_CHECKPOINT),
    /** An event of a later library version. */
    OTHER(0);

    final int number;

    Kind(int number) {
      this.number = number;
    }

    static Kind of(int number) {
      for (Kind kind : values()) {
        if (kind.number == number) {
          return kind;
        }
      }
      return OTHER;
    }
  }

  /**
   * Called by the bridge.
   *
   * @return false to stop.
   */
  static boolean deliver(Predicate<Event> listener, int kind, long epoch, long nEpochs, long batch, long nBatches, double loss,
      double trainSeconds, double evalSeconds, byte[][] names, double[] values, boolean isBest) {
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (int i = 0; i < names.length; ++i) {
      metrics.put(Utf8.decode(names[i]), values[i]);
    }
    return listener.test(new Event(Kind.of(kind), epoch, nEpochs, batch, nBatches, loss, trainSeconds, evalSeconds,
        Collections.unmodifiableMap(metrics), isBest));
  }
}
