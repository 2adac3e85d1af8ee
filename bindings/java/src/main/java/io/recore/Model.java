package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import io.recore.internal.rec_load_options_t;
import io.recore.internal.rec_recommender_options_t;
import io.recore.internal.rec_save_options_t;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.LongStream;

/** A trained model. Any number of threads may use it at once. */
public final class Model extends Handle {
  Model(long raw) {
    super(Raw.REC_JAVA_MODEL, raw);
  }

  /** Another owner of the same model. */
  Model(Model other) {
    super(other);
  }

  /** As {@code load(path, 0)}. */
  public static Model load(Path path) {
    return load(path, 0);
  }

  /**
   * Opens a model file.
   *
   * @param memoryLimit in bytes; 0 = none.
   * @throws RecException.CorruptData for a damaged file, with the byte offset.
   * @throws RecException.Unsupported for a file of another version.
   */
  public static Model load(Path path, long memoryLimit) {
    byte[] name = Utf8.terminated(path.toString(), "path");
    try (var options = new rec_load_options_t()) {
      options.setMemory_limit_bytes(memoryLimit);
      return new Model(LongCall.make(null, (call, out) -> Raw.rec_model_load(name, options, call, out)));
    }
  }

  /** The same from the bytes of a file, which are copied: a direct buffer, from its position on, or byte[]. */
  public static Model load(ByteBuffer bytes) {
    return loadBytes(bytes);
  }

  /** As {@link #load(ByteBuffer)}. */
  public static Model load(byte[] bytes) {
    return loadBytes(bytes);
  }

  private static Model loadBytes(Object bytes) {
    try (var options = new rec_load_options_t()) {
      return new Model(LongCall.make(null, (call, out) -> Raw.rec_model_load_bytes(bytes, options, call, out)));
    }
  }

  /** Writes one file; an older one stays intact until the new one is complete. */
  public void save(Path path) {
    save(path, true);
  }

  /**
   * @param withUserData false leaves out seen items and histories.
   */
  public void save(Path path, boolean withUserData) {
    try (var options = new rec_save_options_t()) {
      options.setNo_user_data(withUserData ? 0 : 1);
      LongCall.run(null, call -> Raw.rec_model_save(this, Utf8.terminated(path.toString(), "path"), options, call));
    }
  }

  /** Model, parameters, counts, metrics, sections and tensors. */
  public Map<String, Object> describe() {
    return Json.object(out -> Raw.rec_model_describe(this, out));
  }

  public int nUsers() {
    return counts()[0];
  }

  public int nItems() {
    return counts()[1];
  }

  private int[] counts() {
    long[] users = new long[1];
    long[] items = new long[1];
    Raw.rec_model_counts(this, users, items);
    return new int[] {Math.toIntExact(users[0]), Math.toIntExact(items[0])};
  }

  /** As {@code evaluate(dataset, metrics, Protocol.test(), null)}. */
  public Report evaluate(Dataset dataset, String metrics) {
    return evaluate(dataset, metrics, Protocol.test(), null);
  }

  /** As {@code evaluate(dataset, metrics, protocol, null)}. */
  public Report evaluate(Dataset dataset, String metrics, Protocol protocol) {
    return evaluate(dataset, metrics, protocol, null);
  }

  /**
   * Ranks items for the rows of a part and measures. Ids are matched, so the data set need not be the training one.
   *
   * @param metrics "ndcg@20,recall@20"; see rec_model_evaluate in the C header for all of them.
   * @param cancel  nullable.
   * @throws RecException.InvalidArgument for an unknown metric; the nearest is named.
   * @throws RecException.InvalidData for an empty part.
   * @throws java.util.concurrent.CancellationException when cancelled or interrupted.
   */
  public Report evaluate(Dataset dataset, String metrics, Protocol protocol, CancelToken cancel) {
    return evaluate(dataset, metrics, protocol, Isolation.AUTO, cancel);
  }

  /**
   * As {@link #evaluate(Dataset, String, Protocol, CancelToken)}, with the plugin where {@code isolation} says.
   *
   * @throws RecException.PluginFailed also when a worker process died.
   */
  public Report evaluate(Dataset dataset, String metrics, Protocol protocol, Isolation isolation, CancelToken cancel) {
    byte[] names = Utf8.terminated(metrics, "metrics");
    try (var raw = protocol.toRaw()) {
      return Report.ofRaw(LongCall.make(cancel, protocol.threads(), isolation,
          (call, out) -> Raw.rec_model_evaluate(this, dataset, names, raw, call, out)), this, raw.getKeep_lists() > 0);
    }
  }

  /** As {@code recommender(new RecommenderOptions())}. */
  public Recommender recommender() {
    return recommender(new RecommenderOptions());
  }

  /**
   * The model prepared to answer requests; the model may then be closed.
   *
   * @throws RecException.Unsupported for excludeSeen of a model without user data.
   */
  public Recommender recommender(RecommenderOptions options) {
    long[] out = new long[1];
    try (var raw = new rec_recommender_options_t()) {
      raw.setExclude_seen(options.excludeSeen ? 1 : 0);
      raw.setMax_k(options.maxK);
      raw.setN_callers(options.callers);
      Raw.rec_recommender_create(this, raw, out);
    }
    return new Recommender(out[0], this, options.strict);
  }

  /** Ids of all items, by row. */
  public Ids itemIds() {
    return itemIds(LongStream.range(0, nItems()).toArray());
  }

  /** Ids of item rows; 0 or an empty id for row -1. */
  public Ids itemIds(long... rows) {
    return Ids.ofRaw(out -> Raw.rec_model_item_ids(this, rows, out));
  }

  /** Ids of all users, by row. */
  public Ids userIds() {
    return userIds(LongStream.range(0, nUsers()).toArray());
  }

  /** Ids of user rows; 0 or an empty id for row -1. */
  public Ids userIds(long... rows) {
    return Ids.ofRaw(out -> Raw.rec_model_user_ids(this, rows, out));
  }

  /** Rows of items, -1 for an unknown one. */
  public long[] itemRows(Ids items) {
    long[] out = new long[items.size()];
    Raw.rec_model_item_rows(this, items, out);
    return out;
  }

  /** Rows of users, -1 for an unknown one. */
  public long[] userRows(Ids users) {
    long[] out = new long[users.size()];
    Raw.rec_model_user_rows(this, users, out);
    return out;
  }

  /** Titles of items, "" for an item that is unknown or has no title. */
  public Ids titles(Ids items) {
    return Ids.ofRaw(out -> Raw.rec_model_item_titles(this, itemRows(items), out));
  }

  /** The title of an item, "" where there is none. */
  public String title(String item) {
    return titles(Ids.of(item)).string(0);
  }

  /**
   * Vectors of all items, by row.
   *
   * @throws RecException.Unsupported for a model without vectors.
   */
  public Vectors itemVectors() {
    return Vectors.ofRaw(out -> Raw.rec_model_item_vectors(this, out));
  }

  /** Vectors of all users, or a single row when one vector serves every user. */
  public Vectors userVectors() {
    return Vectors.ofRaw(out -> Raw.rec_model_user_vectors(this, out));
  }

  @Override
  protected String summary() {
    int[] counts = counts();
    return " " + describe().get("model") + ": " + counts[0] + " users, " + counts[1] + " items";
  }
}
