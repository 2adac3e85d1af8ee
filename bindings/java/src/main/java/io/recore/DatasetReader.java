package io.recore;

import io.recore.internal.Raw;
import io.recore.internal.rec_dataset_options_t;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
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

  /** csv, tsv, parquet, lightgcn, recbole, rechorus, movielens, gru4rec or two_tower; by default it is detected. */
  public DatasetReader format(String name) {
    return set("format", name, rec_dataset_options_t::setFormat);
  }

  public DatasetReader user(String column) {
    return set("user", column, rec_dataset_options_t::setUser_column);
  }

  public DatasetReader item(String column) {
    return set("item", column, rec_dataset_options_t::setItem_column);
  }

  /** "" ignores times. */
  public DatasetReader time(String column) {
    return set("time", column, rec_dataset_options_t::setTime_column);
  }

  /** "" ignores weights. */
  public DatasetReader weight(String column) {
    return set("weight", column, rec_dataset_options_t::setWeight_column);
  }

  /** 1 for a clicked row, 0 for one that was only shown; "" ignores labels. */
  public DatasetReader label(String column) {
    return set("label", column, rec_dataset_options_t::setLabel_column);
  }

  /** "time" or a column: labelled rows of one user with equal values are an impression list. */
  public DatasetReader impressionKey(String column) {
    return set("impressionKey", column, rec_dataset_options_t::setImpression_key);
  }

  /** One byte; by default it is detected. */
  public DatasetReader separator(String separator) {
    return set("separator", separator, rec_dataset_options_t::setSeparator);
  }

  /**
   * Whether the first line of a CSV or TSV file names the columns; by default it does unless it has a number or a date in it.
   * Without a header, columns are named "1", "2", ...
   */
  public DatasetReader header(boolean has) {
    return set(options -> options.setHeader(has ? Raw.REC_HEADER_YES : Raw.REC_HEADER_NO));
  }

  public DatasetReader quotes(Quotes quotes) {
    return set(options -> options.setQuotes(quotes.number));
  }

  /** Of times that are numbers. */
  public DatasetReader timeUnit(TimeUnit unit) {
    return set(options -> options.setTime_unit(unit.number));
  }

  /** Of dates, from %Y %m %d %H %M %S %y %b %a %I %p %z; by default ISO 8601. */
  public DatasetReader timeFormat(String format) {
    return set("timeFormat", format, rec_dataset_options_t::setTime_format);
  }

  /** Words, by comma, for an id that is missing; such rows are left out and counted. By default NA, NaN, null, None and more. */
  public DatasetReader missing(String words) {
    return set("missing", words, rec_dataset_options_t::setMissing);
  }

  /** Puts every row into one part, for files that have none of their own. */
  public DatasetReader part(Part part) {
    return set(options -> {
      options.setHas_part(1);
      options.setPart(part.number);
    });
  }

  /** A file of the same format, whose rows are for validation. */
  public DatasetReader valid(Path file) {
    return set("valid", file.toString(), rec_dataset_options_t::setValid_path);
  }

  /** A file of the same format, whose rows are for the test. */
  public DatasetReader test(Path file) {
    return set("test", file.toString(), rec_dataset_options_t::setTest_path);
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
   * @throws RecException.NotFound for a path that does not exist.
   * @throws RecException.InvalidData for a bad row, with file and line.
   * @throws RecException.Unsupported for a format that is not recognised.
   * @throws java.util.concurrent.CancellationException when cancelled or interrupted.
   */
  public Dataset load() {
    try (var options = new rec_dataset_options_t()) {
      settings.forEach(setting -> setting.accept(options));
      return new Dataset(LongCall.make(cancel, (call, out) -> {
        if (path == null) {
          Raw.rec_dataset_create_from_arrow(address, options, call, out);
        } else {
          Raw.rec_dataset_load(Utf8.terminated(path.toString(), "path"), options, call, out);
        }
      }));
    }
  }

  private DatasetReader set(String name, String text, BiConsumer<rec_dataset_options_t, byte[]> setter) {
    byte[] bytes = Utf8.terminated(text, name);
    return set(options -> setter.accept(options, bytes));
  }

  private DatasetReader set(Consumer<rec_dataset_options_t> setting) {
    settings.add(setting);
    return this;
  }
}
