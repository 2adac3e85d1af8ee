package io.recore;

import io.recore.internal.rec_trainer_options_t;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/** A model, its parameters and how it is trained. */
public final class TrainOptions {
  final String model;
  private final Map<String, Object> parameters = new LinkedHashMap<>();
  private String metrics;
  private String mainMetric;
  Protocol protocol = Protocol.valid();
  private Path checkpoint;
  private double checkpointSeconds;
  private long checkpointBatches;
  private boolean resume;
  private long memoryLimit;
  private Isolation isolation = Isolation.AUTO;
  Predicate<Event> onEvent;
  Predicate<Event> onEpoch;

  private TrainOptions(String model) {
    this.model = model;
  }

  /**
   * @param model a name, see {@link Rec#plugins}.
   */
  public static TrainOptions of(String model) {
    return new TrainOptions(model);
  }

  /** A parameter of the model or of the loop, see {@link Rec#describePlugin}: a number, text, boolean or list of them. */
  public TrainOptions set(String parameter, Object value) {
    parameters.put(parameter, value);
    return this;
  }

  public TrainOptions seed(long seed) {
    return set("seed", seed);
  }

  /** "ndcg@20,recall@20": measured on the valid part after epochs; by default those of the task. */
  public TrainOptions metrics(String names) {
    metrics = names;
    return this;
  }

  /** Decides the best epoch and patience; by default the first of the metrics. */
  public TrainOptions mainMetric(String name) {
    mainMetric = name;
    return this;
  }

  /** The protocol of these evaluations; its part is ignored. */
  public TrainOptions protocol(Protocol protocol) {
    this.protocol = protocol;
    return this;
  }

  /** Where checkpoints are written while training; the previous one is kept beside it. */
  public TrainOptions checkpoint(Path path) {
    checkpoint = path;
    return this;
  }

  /** Minimum time between two checkpoints; 0 = 30. */
  public TrainOptions checkpointSeconds(double seconds) {
    checkpointSeconds = seconds;
    return this;
  }

  /** Also writes one after this number of batches. */
  public TrainOptions checkpointBatches(long batches) {
    checkpointBatches = batches;
    return this;
  }

  /** Continues from the checkpoint if there is one. */
  public TrainOptions resume() {
    resume = true;
    return this;
  }

  /** Limits the memory of the library plus the model's estimate; 0 = none. */
  public TrainOptions memoryLimit(long bytes) {
    memoryLimit = bytes;
    return this;
  }

  /** Where the plugin runs; by default one over LibTorch runs in a worker process. */
  public TrainOptions isolation(Isolation isolation) {
    this.isolation = isolation;
    return this;
  }

  /**
   * Called after each epoch, on the training thread; returning false stops. An exception stops training and is thrown by
   * the call that trains. It may use anything but the running trainer.
   */
  public TrainOptions onEpoch(Predicate<Event> listener) {
    onEpoch = listener;
    return this;
  }

  /** As {@link #onEpoch}, for every event. */
  public TrainOptions onEvent(Predicate<Event> listener) {
    onEvent = listener;
    return this;
  }

  String parametersAsJson() {
    return Json.write(parameters);
  }

  /** For the raw layer; to be closed. */
  rec_trainer_options_t toRaw() {
    var raw = new rec_trainer_options_t();
    raw.setResume(resume ? 1 : 0);
    raw.setCheckpoint_path(checkpoint == null ? null : Utf8.terminated(checkpoint.toString(), "checkpoint"));
    raw.setCheckpoint_seconds(checkpointSeconds);
    raw.setCheckpoint_batches(checkpointBatches);
    raw.setMetrics(Utf8.terminated(metrics, "metrics"));
    raw.setMain_metric(Utf8.terminated(mainMetric, "mainMetric"));
    raw.setMemory_limit_bytes(memoryLimit);
    raw.setIsolation(isolation.number);
    return raw;
  }

  /** The model and its parameters: "bprmf {epochs=20}". */
  @Override
  public String toString() {
    return parameters.isEmpty() ? model : model + " " + parameters;
  }
}
