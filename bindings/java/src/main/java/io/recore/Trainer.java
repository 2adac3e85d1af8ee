package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.util.function.Predicate;

/** One model in training over one data set. One call at a time; close() may come from any thread. */
public final class Trainer extends Handle {
  private final TrainOptions options;

  /**
   * Checks the options but does not start. The listeners are those that options has when run() is called.
   *
   * @throws RecException.NotFound for an unknown model; the nearest is named.
   * @throws RecException.InvalidArgument for a parameter that is unknown or out of range; argument() names it.
   */
  public Trainer(Dataset dataset, TrainOptions options) {
    this(dataset, options, null);
  }

  /**
   * As {@link #Trainer(Dataset, TrainOptions)}.
   *
   * @param cancel nullable.
   * @throws java.util.concurrent.CancellationException when the token was cancelled, or this thread interrupted.
   */
  public Trainer(Dataset dataset, TrainOptions options, CancelToken cancel) {
    super(Raw.REC_JAVA_TRAINER, create(dataset, options, cancel));
    this.options = options;
  }

  private static long create(Dataset dataset, TrainOptions options, CancelToken cancel) {
    byte[] model = Utf8.terminated(options.model, "model");
    byte[] parameters = Utf8.terminated(options.parametersAsJson(), "parameters");
    try (var raw = options.toRaw(); var protocol = options.protocol.toRaw()) {
      raw.setProtocol(protocol);
      return LongCall.make(cancel, (call, out) -> Raw.rec_trainer_create(dataset, model, parameters, raw, call, out));
    }
  }

  /** Starts from a model of the same users and items, before the first run; may be called for several. */
  public void warmStart(Model model) {
    Raw.rec_trainer_warm_start(this, model);
  }

  /** As {@code run(null)}. */
  public boolean run() {
    return run(null);
  }

  /**
   * Trains until the last epoch, until patience runs out, or until stopped; may then be called again.
   *
   * @param cancel nullable.
   * @return false when a listener stopped it.
   * @throws java.util.concurrent.CancellationException when the token was cancelled, or this thread interrupted (its flag
   *     stays set); last() is then the last finished epoch.
   * @throws RecException.Numeric when the loss is no longer finite.
   */
  public boolean run(CancelToken cancel) {
    Predicate<Event> onEvent = options.onEvent;
    Predicate<Event> onEpoch = options.onEpoch;
    Predicate<Event> listener = onEvent == null && onEpoch == null ? null
        : event -> (onEvent == null || onEvent.test(event))
            & (onEpoch == null || event.kind() != Event.Kind.EPOCH || onEpoch.test(event));
    int kinds = onEvent != null ? -1 : 1 << Raw.REC_EVENT_EPOCH;
    return LongCall.run(cancel, listener, kinds, call -> Raw.rec_trainer_run(this, call));
  }

  /**
   * The model of the best epoch by the main metric.
   *
   * @throws RecException.BadState when no epoch is finished.
   */
  public Model best() {
    return model(Raw.REC_MODEL_BEST);
  }

  /**
   * The model of the last finished epoch.
   *
   * @throws RecException.BadState when no epoch is finished.
   */
  public Model last() {
    return model(Raw.REC_MODEL_LAST);
  }

  /**
   * What training starts from.
   *
   * @throws RecException.BadState when training has begun.
   */
  public Model initial() {
    return model(Raw.REC_MODEL_INITIAL);
  }

  private Model model(int which) {
    return new Model(LongCall.make(null, (call, out) -> Raw.rec_trainer_create_model(this, which, call, out)));
  }

  @Override
  protected String summary() {
    return " " + options;
  }
}
