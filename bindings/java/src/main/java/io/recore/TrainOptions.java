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

  /** Of these evaluations; its part is ignored. */
  public TrainOptions protocol(Protocol protocol) {
    this.protocol = protocol;
    return this;
  }

  /** Where a checkpoint is written while training; the one before is kept beside it. */
  public TrainOptions checkpoint(Path path) {
    checkpoint = path;
    return this;
  }

  /** Least time between two checkpoints; 0 = 30. */
  public TrainOptions checkpointSeconds(double seconds) {
    checkpointSeconds = seconds;
    return this;
  }

  /** Also after this number of batches. */
  public TrainOptions checkpointBatches(long batches) {
    checkpointBatches = batches;
    return this;
  }

  /** Goes on from the checkpoint when there is one. */
  public TrainOptions resume() {
    resume = true;
    return this;
  }

  /** Of the library and the model's estimate together; 0 = none. */
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
   * Called after each epoch, on the thread that trains; false stops. What it throws stops training and is thrown by the
   * call that trains. It may use anything but the running trainer.
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
}
