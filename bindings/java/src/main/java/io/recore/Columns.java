package io.recore;

import io.recore.internal.Raw;
import java.util.Map;

/** Interactions in columns of equal length n, which {@link #build} copies. */
public final class Columns {
  private final Ids users;
  private final Ids items;
  private long[] times;
  private float[] weights;
  private int[] parts;
  private float[] labels;
  private long[] impressions;
  private Ids titleItems;
  private Ids titles;
  private Ids moreUsers;
  private Ids moreItems;
  private TimeUnit timeUnit = TimeUnit.AUTO;
  private long memoryLimit;
  private CancelToken cancel;

  Columns(Ids users, Ids items) {
    this.users = users;
    this.items = items;
  }

  /** [n] since 1970 UTC, in {@link #timeUnit}; what is below a second decides the order of a user's rows only. */
  public Columns times(long... times) {
    this.times = times;
    return this;
  }

  /** By default by the size of the times. */
  public Columns timeUnit(TimeUnit unit) {
    timeUnit = unit;
    return this;
  }

  /** [n] finite numbers. */
  public Columns weights(float... weights) {
    this.weights = weights;
    return this;
  }

  /** [n]; by default all is train. */
  public Columns parts(Part... parts) {
    this.parts = new int[parts.length];
    for (int i = 0; i < parts.length; ++i) {
      this.parts[i] = parts[i].number;
    }
    return this;
  }

  /** [n] 1 for a clicked row, 0 for one that was only shown. */
  public Columns labels(float... labels) {
    this.labels = labels;
    return this;
  }

  /** [n]: labelled rows of one user with equal numbers are an impression list; by default rows of equal times are. */
  public Columns impressions(long... impressions) {
    this.impressions = impressions;
    return this;
  }

  /** A title for each of these items. */
  public Columns titles(Ids items, Ids titles) {
    this.titleItems = items;
    this.titles = titles;
    return this;
  }

  /** Titles by item id. */
  public Columns titles(Map<String, String> titles) {
    return titles(Ids.of(titles.keySet().toArray(String[]::new)), Ids.of(titles.values().toArray(String[]::new)));
  }

  /** Ids that the data set has with or without rows, of the kind of the users. */
  public Columns moreUsers(Ids users) {
    moreUsers = users;
    return this;
  }

  /** The same for items. */
  public Columns moreItems(Ids items) {
    moreItems = items;
    return this;
  }

  public Columns memoryLimit(long bytes) {
    memoryLimit = bytes;
    return this;
  }

  public Columns cancel(CancelToken token) {
    cancel = token;
    return this;
  }

  /**
   * @throws RecException.InvalidArgument for lengths that differ.
   * @throws RecException.InvalidData for a weight that is not finite or a label that is neither 0 nor 1, with the row.
   */
  public Dataset build() {
    return new Dataset(LongCall.make(cancel, (call, out) -> Raw.rec_flat_dataset_create(users, items, times, weights, parts,
        labels, impressions, titleItems, titles, moreUsers, moreItems, timeUnit.number, memoryLimit, call, out)));
  }
}
