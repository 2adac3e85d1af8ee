package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import io.recore.internal.rec_split_options_t;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.LongStream;

/**
 * Interactions with their ids, the part (train, valid, test) of each, and item titles. Immutable; any number of threads may
 * use it at once.
 */
public final class Dataset extends Handle {
  Dataset(long raw) {
    super(Raw.REC_JAVA_DATASET, raw);
  }

  /** Reads a file or folder and detects its format; as {@code read(path).load()}. */
  public static Dataset load(Path path) {
    return read(path).load();
  }

  /** A reader for a file or folder, to be configured. */
  public static DatasetReader read(Path path) {
    return new DatasetReader(path, 0);
  }

  /** A reader for a file of comma-separated values, to be configured. */
  public static DatasetReader csv(Path path) {
    return read(path).format("csv");
  }

  /**
   * An Arrow C stream by its address, as {@code ArrowArrayStream.memoryAddress()} of the Arrow libraries gives it. load()
   * takes over the stream, which it releases, success or not. Call load() once.
   */
  public static DatasetReader arrow(long address) {
    return new DatasetReader(null, address);
  }

  /** Columns in memory; there must be as many items as users. */
  public static Columns columns(Ids users, Ids items) {
    return new Columns(users, items);
  }

  /** As {@code split(split, null)}. */
  public Dataset split(Split split) {
    return split(split, null);
  }

  /**
   * A copy of the data set with new parts.
   *
   * @param cancel nullable.
   * @throws RecException.InvalidArgument for shares that do not sum to 1.
   * @throws RecException.InvalidData when the split needs times and the data set has none.
   * @throws java.util.concurrent.CancellationException when cancelled or interrupted.
   */
  public Dataset split(Split split, CancelToken cancel) {
    try (var options = new rec_split_options_t()) {
      options.setKind(split.kind().number);
      options.setTrain_ratio(split.train());
      options.setValid_ratio(split.valid());
      options.setTest_ratio(split.test());
      options.setSeed(split.seed());
      return new Dataset(LongCall.make(cancel, (call, out) -> Raw.rec_dataset_split(this, options, call, out)));
    }
  }

  /**
   * Writes FOLDER/(its name).{train,valid,test}.inter and .item, RecBole benchmark files: rows, labels, lists, titles.
   * Candidates, relations, features, and users and items without rows are left out; a warning in the log names them.
   */
  public void save(Path folder) {
    save(folder, null);
  }

  /**
   * As {@link #save(Path)}.
   *
   * @param cancel nullable.
   * @throws java.util.concurrent.CancellationException when cancelled or interrupted.
   */
  public void save(Path folder, CancelToken cancel) {
    LongCall.run(cancel, call -> Raw.rec_dataset_save(this, Utf8.terminated(folder.toString(), "folder"), call));
  }

  /** Counts (n_users, n_items, n_train, ...), id types, time range and quantiles. */
  public Map<String, Object> describe() {
    return Json.object(out -> Raw.rec_dataset_describe(this, out));
  }

  public long nUsers() {
    return counts()[0];
  }

  public long nItems() {
    return counts()[1];
  }

  public long nInteractions() {
    return counts()[2];
  }

  /** Ids of all users, with and without rows, in order of first appearance. */
  public Ids userIds() {
    long[] rows = LongStream.range(0, nUsers()).toArray();
    return Ids.ofRaw(out -> Raw.rec_dataset_user_ids(this, rows, out));
  }

  /** Ids of all items; as {@link #userIds}. */
  public Ids itemIds() {
    long[] rows = LongStream.range(0, nItems()).toArray();
    return Ids.ofRaw(out -> Raw.rec_dataset_item_ids(this, rows, out));
  }

  private long[] counts() {
    long[][] counts = new long[3][1];
    Raw.rec_dataset_counts(this, counts[0], counts[1], counts[2]);
    return new long[] {counts[0][0], counts[1][0], counts[2][0]};
  }

  /**
   * Fills an Arrow C stream, {@code ArrowArrayStream.memoryAddress()} of the Arrow libraries, with the rows; it outlives
   * {@code close()}, and its importer releases it. Columns: user_id, item_id, those that the data set has of time (int64
   * seconds), weight, label and impression, and part.
   */
  public void exportArrow(long address) {
    Raw.rec_dataset_export_arrow(this, address);
  }

  @Override
  protected String summary() {
    long[] counts = counts();
    return ": " + counts[0] + " users, " + counts[1] + " items, " + counts[2] + " interactions";
  }
}
