package io.recore;

import io.recore.internal.Raw;
import io.recore.internal.rec_dataset_options_t;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** How a file, folder or Arrow stream is read. Columns that are not named are found by their usual names. */
public final class DatasetReader {
  private final Path path;
  private final long address;
  private final List<Consumer<rec_dataset_options_t>> settings = new ArrayList<>();
  private CancelToken cancel;

  DatasetReader(Path path, long address) {
    this.path = path;
    this.address = address;
  }

  /** csv, tsv, lightgcn, recbole, rechorus, movielens, gru4rec or two_tower; by default it is found out. */
  public DatasetReader format(String name) {
    byte[] text = Utf8.terminated(name, "format");
    return set(options -> options.setFormat(text));
  }

  public DatasetReader user(String column) {
    byte[] text = Utf8.terminated(column, "user");
    return set(options -> options.setUser_column(text));
  }

  public DatasetReader item(String column) {
    byte[] text = Utf8.terminated(column, "item");
    return set(options -> options.setItem_column(text));
  }

  /** "" ignores times. */
  public DatasetReader time(String column) {
    byte[] text = Utf8.terminated(column, "time");
    return set(options -> options.setTime_column(text));
  }

  /** "" ignores weights. */
  public DatasetReader weight(String column) {
    byte[] text = Utf8.terminated(column, "weight");
    return set(options -> options.setWeight_column(text));
  }

  /** 1 for a clicked row, 0 for one that was only shown; "" ignores labels. */
  public DatasetReader label(String column) {
    byte[] text = Utf8.terminated(column, "label");
    return set(options -> options.setLabel_column(text));
  }

  /** "time" or a column: labelled rows of one user with equal values are an impression list. */
  public DatasetReader impressionKey(String column) {
    byte[] text = Utf8.terminated(column, "impressionKey");
    return set(options -> options.setImpression_key(text));
  }

  /** One byte; by default it is found out. */
  public DatasetReader separator(String separator) {
    byte[] text = Utf8.terminated(separator, "separator");
    return set(options -> options.setSeparator(text));
  }

  public DatasetReader userIds(IdType type) {
    return set(options -> options.setUser_id_type(type.number));
  }

  public DatasetReader itemIds(IdType type) {
    return set(options -> options.setItem_id_type(type.number));
  }

  /** Skips and counts up to this number of bad rows (0 = 1000); without this, the first one is an error. */
  public DatasetReader skipBadRows(long atMost) {
    return set(options -> {
      options.setBad_rows(Raw.REC_BAD_ROW_SKIP);
      options.setMax_bad_rows(atMost);
    });
  }

  /** Leaves out rows with a smaller weight. */
  public DatasetReader minWeight(double weight) {
    return set(options -> {
      options.setMin_weight(weight);
      options.setHas_min_weight(1);
    });
  }

  public DatasetReader memoryLimit(long bytes) {
    return set(options -> options.setMemory_limit_bytes(bytes));
  }

  public DatasetReader cancel(CancelToken token) {
    cancel = token;
    return this;
  }

  /**
   * @throws RecException.NotFound for a path that is not there.
   * @throws RecException.InvalidData for a bad row, with file and line.
   * @throws RecException.Unsupported for a format that cannot be told.
   * @throws java.util.concurrent.CancellationException when cancelled or interrupted.
   */
  public Dataset load() {
    long[] out = new long[1];
    try (var options = new rec_dataset_options_t()) {
      settings.forEach(setting -> setting.accept(options));
      LongCall.run(cancel, call -> {
        if (path == null) {
          Raw.rec_dataset_create_from_arrow(address, options, call, out);
        } else {
          Raw.rec_dataset_load(Utf8.terminated(path.toString(), "path"), options, call, out);
        }
      });
    }
    return new Dataset(out[0]);
  }

  private DatasetReader set(Consumer<rec_dataset_options_t> setting) {
    settings.add(setting);
    return this;
  }
}
