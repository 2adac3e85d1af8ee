package io.recore;

import io.recore.internal.Raw;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Training in one call, plugins, and the library itself. */
public final class Rec {
  private Rec() {}

  /** Version of the loaded library, "1.0.0". */
  public static String version() {
    return Utf8.decode(Raw.rec_version_string());
  }

  /** As {@code train(dataset, options, null)}. */
  public static Model train(Dataset dataset, TrainOptions options) {
    return train(dataset, options, null);
  }

  /**
   * Trains a model and returns its best epoch. Use a {@link Trainer} to keep what was trained when the call ends with an
   * exception. Throws what {@link Trainer} throws.
   *
   * @param cancel nullable.
   */
  public static Model train(Dataset dataset, TrainOptions options, CancelToken cancel) {
    try (Trainer trainer = new Trainer(dataset, options, cancel)) {
      trainer.run(cancel);
      return trainer.best();
    }
  }

  /**
   * Throws what {@link Trainer} would throw for these options, without data: for an unknown model, parameter or metric.
   */
  public static void checkTraining(TrainOptions options) {
    try (var raw = options.toRaw()) {
      Raw.rec_trainer_check(Utf8.terminated(options.model, "model"),
          Utf8.terminated(options.parametersAsJson(), "parameters"), raw);
    }
  }

  /** Objects of the library that are not closed yet, by kind, for finding leaks: {model=1, dataset=0, ...}. */
  public static Map<String, Long> liveObjects() {
    String[] kinds = {"error", "text", "cancel", "dataset", "trainer", "model", "report", "recommender", "tuner"};
    Map<String, Long> counts = new LinkedHashMap<>();
    long[] out = new long[1];
    for (int i = 0; i < kinds.length; ++i) {
      Raw.rec_live_objects(Raw.REC_OBJECT_ERROR + i, out);
      counts.put(kinds[i], out[0]);
    }
    return counts;
  }

  /** Every model found: in folders that were added, in REC_PLUGIN_PATH, beside the library. */
  @SuppressWarnings("unchecked")
  public static List<Plugin> plugins() {
    return ((List<Map<String, Object>>) Json.read(Raw::rec_plugin_list)).stream().map(facts -> {
      return new Plugin(text(facts, "name"), text(facts, "version"), text(facts, "path"), text(facts, "doc"), text(facts, "error"));
    }).toList();
  }

  private static String text(Map<String, Object> facts, String name) {
    return facts.get(name) instanceof String text ? text : "";
  }

  /** One model: name, version, doc, paper, capabilities and parameters with type, default, range and owner. */
  public static Map<String, Object> describePlugin(String model) {
    return Json.object(out -> Raw.rec_plugin_describe(Utf8.terminated(model, "model"), out));
  }

  /**
   * Loads one plugin file, or searches a folder before the others. A plugin is never unloaded.
   *
   * @throws RecException.Denied for a file that is world-writable.
   * @throws RecException.AbiMismatch for a plugin of another ABI.
   */
  public static void loadPlugin(Path path) {
    byte[] text = Utf8.terminated(path.toString(), "path");
    if (Files.isDirectory(path)) {
      Raw.rec_plugin_add_folder(text);
    } else {
      Raw.rec_plugin_load(text);
    }
  }

  /** Delivers log lines that are waiting for a long call; they go to System.getLogger("io.recore"). */
  public static void deliverLog() {
    Log.followLevel();
    Raw.rec_java_log_poll();
  }
}
