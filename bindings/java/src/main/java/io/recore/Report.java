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
  private final Ids users;

  private static final class Source extends Handle {
    Source(long raw) {
      super(Raw.REC_JAVA_REPORT, raw);
    }
  }

  static Report ofRaw(long raw, Model model) {
    try (Source source = new Source(raw)) {
      return new Report(source, model);
    }
  }

  private Report(Source source, Model model) {
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
    Raw.rec_flat_report_rows(source, values, userRows);
    users = model.userIds(userRows);
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
