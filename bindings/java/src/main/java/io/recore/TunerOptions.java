package io.recore;

import io.recore.internal.Raw;
import io.recore.internal.rec_tuner_options_t;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a {@link Tuner} searches, and how. */
public final class TunerOptions {
  /** How trials get their parameters. */
  public enum Sampler {
    /** The tree-structured Parzen estimator: like the best of the trials so far. */
    TPE(Raw.REC_SAMPLER_TPE),
    RANDOM(Raw.REC_SAMPLER_RANDOM),
    /** Every combination in order, the last parameter fastest. */
    GRID(Raw.REC_SAMPLER_GRID);

    final int number;

    Sampler(int number) {
      this.number = number;
    }
  }

  /** Which trials end early. */
  public enum Pruner {
    NONE(Raw.REC_PRUNER_NONE),
    /** Those below the median of the trials before. */
    MEDIAN(Raw.REC_PRUNER_MEDIAN),
    /** Those outside the best third at epochs 1, 3, 9, ... */
    HALVING(Raw.REC_PRUNER_HALVING);

    final int number;

    Pruner(int number) {
      this.number = number;
    }
  }

  private final Map<String, String> space = new LinkedHashMap<>(); // JSON by name
  private Sampler sampler = Sampler.TPE;
  private Pruner pruner = Pruner.NONE;
  private boolean minimize;
  private long seed;
  private long trials;
  private long parallel;
  private long minEpochs;
  private Path journal;

  /** One of these values: numbers, texts, booleans, or lists of them. */
  public TunerOptions choices(String name, Object... values) {
    return put(name, Json.value(name, List.of(values)));
  }

  /** A whole number between these two, which belong to it. */
  public TunerOptions range(String name, long low, long high) {
    return put(name, "{\"low\":" + low + ",\"high\":" + high + "}");
  }

  /** A number between these two. */
  public TunerOptions range(String name, double low, double high) {
    return put(name, "{\"low\":" + Json.value(name, low) + ",\"high\":" + Json.value(name, high) + "}");
  }

  /** A number between these two, whose logarithm is drawn evenly. */
  public TunerOptions logRange(String name, double low, double high) {
    return put(name, "{\"low\":" + Json.value(name, low) + ",\"high\":" + Json.value(name, high) + ",\"log\":true}");
  }

  private TunerOptions put(String name, String json) {
    space.put(name, json);
    return this;
  }

  public TunerOptions sampler(Sampler sampler) {
    this.sampler = sampler;
    return this;
  }

  public TunerOptions pruner(Pruner pruner) {
    this.pruner = pruner;
    return this;
  }

  /** Less is better. */
  public TunerOptions minimize() {
    minimize = true;
    return this;
  }

  public TunerOptions seed(long seed) {
    this.seed = seed;
    return this;
  }

  /** How many trials; 0 = 50, of a grid all combinations. */
  public TunerOptions trials(long n) {
    trials = n;
    return this;
  }

  /** How many run at a time, the size of a round; 0 = 1. */
  public TunerOptions parallel(long n) {
    parallel = n;
    return this;
  }

  /** No trial is pruned before this epoch; 0 = 1. */
  public TunerOptions minEpochs(long n) {
    minEpochs = n;
    return this;
  }

  /** A file to which all that happens is appended; if it is there already, the search goes on where it stopped. */
  public TunerOptions journal(Path file) {
    journal = file;
    return this;
  }

  String spaceAsJson() {
    StringBuilder out = new StringBuilder("{");
    space.forEach((name, json) -> {
      out.append(out.length() > 1 ? "," : "");
      Json.quote(out, name);
      out.append(':').append(json);
    });
    return out.append('}').toString();
  }

  rec_tuner_options_t toRaw() {
    var raw = new rec_tuner_options_t();
    raw.setSampler(sampler.number);
    raw.setPruner(pruner.number);
    raw.setMinimize(minimize ? 1 : 0);
    raw.setSeed(seed);
    raw.setN_trials(trials);
    raw.setParallel(parallel);
    raw.setMin_epochs(minEpochs);
    raw.setJournal_path(journal == null ? null : Utf8.terminated(journal.toString(), "journal_path"));
    return raw;
  }
}
