package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Means of an evaluation, with the value of every row. Immutable; holds no memory of the library. */
public final class Report {
  private final List<String> names = new ArrayList<>();
  private final List<Double> means = new ArrayList<>();
  private final List<Double> standardErrors = new ArrayList<>();
  private final double[] values; // [metrics, nRows]
  private final long[] userRows;
  private final long[] interactions;
  private final Ids users;
  private final List<RankedList> lists;

  /**
   * What a row ranked, best first.
   *
   * @param items [n] their ids.
   * @param scores [n].
   * @param relevant [n] whether the row should have had the item.
   */
  public record RankedList(Ids items, float[] scores, boolean[] relevant) {}

  private static final class Source extends Handle {
    Source(long raw) {
      super(Raw.REC_JAVA_REPORT, raw);
    }
  }

  static Report ofRaw(long raw, Model model, boolean keepsLists) {
    try (Source source = new Source(raw)) {
      return new Report(source, model, keepsLists);
    }
  }

  /** As {@code ofLists(ranked, truth, null, metrics)}. */
  public static Report ofLists(List<Ids> ranked, List<Ids> truth, String metrics) {
    return ofLists(ranked, truth, null, metrics);
  }

  /**
   * Measures ranked lists from anywhere, without a model; users() are the numbers of the rows.
   *
   * @param ranked a list of items for each row, best first, no item twice.
   * @param truth the relevant items of each row. Ids are only compared with each other.
   * @param gains nullable: for each row, how relevant each item of truth is, for ndcg; an item of gain 0 is not relevant.
   * @param metrics recall, precision, ndcg, map, mrr, hit, f1, rbp and spark.* at k.
   * @throws RecException.InvalidArgument for lengths that differ, and for a metric that lists do not give.
   * @throws RecException.InvalidData for no rows, an item twice in a list, and a gain below 0.
   */
  public static Report ofLists(List<Ids> ranked, List<Ids> truth, List<float[]> gains, String metrics) {
    long[] rankedOffsets = new long[ranked.size() + 1];
    long[] truthOffsets = new long[truth.size() + 1];
    Ids rankedIds = Ids.concat(ranked, "ranked", rankedOffsets);
    Ids truthIds = Ids.concat(truth, "truth", truthOffsets);
    float[] allGains = gains == null ? null : join(gains, truthOffsets);
    long[] out = new long[1];
    Raw.rec_flat_lists_evaluate(rankedIds, rankedOffsets, truthIds, truthOffsets, allGains,
        Utf8.terminated(metrics, "metrics"), out);
    return ofRaw(out[0], null, false);
  }

  private static float[] join(List<float[]> gains, long[] offsets) {
    float[] all = new float[Math.toIntExact(offsets[offsets.length - 1])];
    for (int row = 0; row < gains.size() || row < offsets.length - 1; ++row) {
      long wanted = row < offsets.length - 1 ? offsets[row + 1] - offsets[row] : -1;
      if (row >= gains.size() || gains.get(row).length != wanted) {
        throw RecException.invalid("gains", "must be one for each item of truth, row by row; row " + row + " differs");
      }
      System.arraycopy(gains.get(row), 0, all, (int) offsets[row], (int) wanted);
    }
    return all;
  }

  private Report(Source source, Model model, boolean keepsLists) {
    long[] nMetrics = new long[1];
    long[] nRows = new long[1];
    Raw.rec_report_counts(source, nMetrics, nRows);
    byte[][] name = new byte[1][];
    double[] mean = new double[1];
    double[] standardError = new double[1];
    for (int i = 0; i < nMetrics[0]; ++i) {
      Raw.rec_report_get_metric(source, i, name, mean);
      names.add(Utf8.decode(name[0]));
      means.add(mean[0]);
      Raw.rec_report_get_standard_error(source, i, standardError);
      standardErrors.add(standardError[0]);
    }
    values = new double[Math.toIntExact(nMetrics[0] * nRows[0])];
    userRows = new long[Math.toIntExact(nRows[0])];
    interactions = new long[userRows.length];
    Raw.rec_flat_report_rows(source, values, userRows, interactions);
    users = model == null ? Ids.of(userRows) : model.userIds(userRows);
    lists = keepsLists ? listsOf(source, model) : List.of();
  }

  private List<RankedList> listsOf(Source source, Model model) {
    long[] offsets = new long[userRows.length + 1];
    Raw.rec_flat_report_offsets(source, offsets);
    int n = Math.toIntExact(offsets[userRows.length]);
    long[] items = new long[n];
    float[] scores = new float[n];
    int[] relevant = new int[n];
    Raw.rec_flat_report_lists(source, items, scores, relevant);
    List<RankedList> all = new ArrayList<>(userRows.length);
    for (int row = 0; row < userRows.length; ++row) {
      int begin = (int) offsets[row];
      int end = (int) offsets[row + 1];
      boolean[] isRelevant = new boolean[end - begin];
      for (int i = begin; i < end; ++i) {
        isRelevant[i - begin] = relevant[i] != 0;
      }
      all.add(new RankedList(model.itemIds(Arrays.copyOfRange(items, begin, end)),
          Arrays.copyOfRange(scores, begin, end), isRelevant));
    }
    return List.copyOf(all);
  }

  /** Full names in the order requested: "ndcg@20", "hit@10[uni99]". */
  public List<String> metrics() {
    return List.copyOf(names);
  }

  /** Mean over the rows where the metric is defined. The part "[uni99]" of its name may be left out. */
  public double mean(String metric) {
    return means.get(find(metric));
  }

  /** How much the mean would vary with other users, in one standard deviation; NaN for one user, and for auc, rmse and f1_score. */
  public double standardError(String metric) {
    return standardErrors.get(find(metric));
  }

  /** [nRows], NaN where the metric is undefined for the row. */
  public double[] values(String metric) {
    int first = find(metric) * nRows();
    return Arrays.copyOfRange(values, first, first + nRows());
  }

  public int nRows() {
    return userRows.length;
  }

  /** [nRows], the model's row of each row's user; -1 = unknown to it. */
  public long[] userRows() {
    return userRows.clone();
  }

  /** [nRows] ids of the users; of one that the model does not know, whose row is -1, it has no meaning. */
  public Ids users() {
    return users;
  }

  /** [nRows], the row of the data set that each row is, or begins with. */
  public long[] interactions() {
    return interactions.clone();
  }

  /** [nRows], what each row ranked, with {@link Protocol#keepLists}; else empty. */
  public List<RankedList> lists() {
    return lists;
  }

  private int find(String metric) {
    int i = names.indexOf(metric);
    if (i >= 0) {
      return i;
    }
    List<String> named = names.stream().filter(name -> name.startsWith(metric + "[")).toList();
    if (named.size() != 1) {
      throw RecException.invalid("metric", metric + " was not measured; there are " + names);
    }
    return names.indexOf(named.get(0));
  }

  @Override
  public String toString() {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < names.size(); ++i) {
      out.append(String.format(Locale.ROOT, "%s=%.4f, ", names.get(i), means.get(i)));
    }
    return out.append(nRows()).append(" rows").toString();
  }
}
