package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.util.Map;
import java.util.Optional;

/**
 * A search for good parameters: it proposes trials; the caller runs each, with a {@link Trainer} or anything else, and tells how
 * it went. Trial i is in round i / parallel. What a trial gets, and whether it is pruned, depends on the seed and on the results
 * of earlier rounds only. Any thread may call.
 */
public final class Tuner extends Handle {
  /** A trial that was asked for. Parameters are Long, Double, String, Boolean or a List of them. */
  public record Trial(long number, Map<String, Object> parameters) {}

  /**
   * A search that has not begun, or the one of the journal.
   *
   * @throws RecException.InvalidArgument for the space or an option, and for a journal of another search, with what differs.
   * @throws RecException.Unsupported for a grid over a range of floats.
   * @throws RecException.Busy when the journal is open elsewhere.
   */
  public Tuner(TunerOptions options) {
    super(Raw.REC_JAVA_TUNER, create(options));
  }

  private static long create(TunerOptions options) {
    long[] out = new long[1];
    try (var raw = options.toRaw()) {
      Raw.rec_tuner_create(Utf8.terminated(options.spaceAsJson(), "space"), raw, out);
    }
    return out[0];
  }

  /**
   * The next trial; none when there are no more.
   *
   * @throws RecException.BadState when it is of the next round, and not all trials of this one have ended.
   */
  public Optional<Trial> ask() {
    long[] number = new long[1];
    Object parameters = Json.read(out -> Raw.rec_tuner_ask(this, number, out));
    if (number[0] < 0) {
      return Optional.empty();
    }
    @SuppressWarnings("unchecked")
    Map<String, Object> named = (Map<String, Object>) parameters;
    return Optional.of(new Trial(number[0], named));
  }

  /**
   * The value of a running trial after an epoch, from 1.
   *
   * @return whether it should end, and be told by {@link #tellPruned}.
   */
  public boolean report(Trial trial, long epoch, double value) {
    int[] prune = new int[1];
    Raw.rec_tuner_report(this, trial.number(), epoch, value, prune);
    return prune[0] != 0;
  }

  /** The end of a trial. */
  public void tell(Trial trial, double value) {
    Raw.rec_tuner_tell(this, trial.number(), Raw.REC_TRIAL_COMPLETE, value, null);
  }

  /** A trial that has ended early. */
  public void tellPruned(Trial trial) {
    Raw.rec_tuner_tell(this, trial.number(), Raw.REC_TRIAL_PRUNED, 0, null);
  }

  /** A trial that has failed, and why. */
  public void tellFailed(Trial trial, String message) {
    Raw.rec_tuner_tell(this, trial.number(), Raw.REC_TRIAL_FAILED, 0, Utf8.terminated(message, "message"));
  }

  /** The table: space, options, best (a number or null), and trials with parameters, state, value, values, message. */
  public Map<String, Object> describe() {
    return Json.object(out -> Raw.rec_tuner_describe(this, out));
  }
}
