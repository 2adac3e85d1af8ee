package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/** A model prepared to answer requests; the model may be closed before it. Any number of threads may ask at once. */
public final class Recommender extends Handle {
  private final Model maps; // between rows and ids; an owner of its own
  private final boolean strict;
  private final int nItems;

  Recommender(long raw, Model model, boolean strict) {
    super(Raw.REC_JAVA_RECOMMENDER, raw);
    maps = new Model(model);
    this.strict = strict;
    nItems = maps.nItems();
  }

  @Override
  public void close() {
    super.close();
    maps.close();
  }

  /** The k best items of one user; none for an unknown one. */
  public List<Scored<String>> recommend(String user, int k) {
    return recommend(Request.of(user), k).strings(0);
  }

  /**
   * The same for items with int64 ids.
   *
   * @throws RecException.Unsupported where they are not.
   */
  public List<Scored<Long>> recommend(long user, int k) {
    return recommend(Request.of(user), k).longs(0);
  }

  public Recommendations recommend(Ids users, int k) {
    return recommend(Request.of(users), k);
  }

  /**
   * The k best items of each user.
   *
   * @param k 1 .. the recommender's maxK; a k above the number of items gives all of them.
   * @throws RecException.InvalidArgument for a k out of range.
   * @throws RecException.UnknownId for a strict recommender and an unknown user without a history.
   */
  public Recommendations recommend(Request request, int k) {
    return answer(request.users, "users", false, k, (wanted, rows, scores, status) -> topK(request, wanted, rows, scores, status));
  }

  /**
   * The fast path: the same into the caller's direct buffers of native byte order, from their positions on; the buffers
   * are left as they are. Allocates nothing when the request's ids are over direct buffers and it has no allow and deny
   * lists; {@link Model#itemIds(long...)} turns rows into ids. A strict recommender does not check the users here.
   *
   * @param rows   [n, k], item rows, padded with -1.
   * @param scores [n, k], nullable, padded with negative infinity.
   * @param status [n], nullable: 0, or RecException's code for NOT_FOUND for an unknown user without a history.
   */
  public void recommendInto(Request request, int k, LongBuffer rows, FloatBuffer scores, IntBuffer status) {
    if (rows.order() != ByteOrder.nativeOrder() || scores != null && scores.order() != ByteOrder.nativeOrder()
        || status != null && status.order() != ByteOrder.nativeOrder() || rows.isReadOnly()
        || scores != null && scores.isReadOnly() || status != null && status.isReadOnly()) {
      throw RecException.invalid("rows", "must be, like scores and status, a writable buffer of native byte order");
    }
    topK(request, k, rows, scores, status);
  }

  /** The same into arrays, which the JVM copies. */
  public void recommendInto(Request request, int k, long[] rows, float[] scores, int[] status) {
    topK(request, k, rows, scores, status);
  }

  /** The k items most similar to one, itself left out; none for an unknown one. */
  public List<Scored<String>> similar(String item, int k) {
    return similar(Ids.of(item), k).strings(0);
  }

  /** The same for items with int64 ids. */
  public List<Scored<Long>> similar(long item, int k) {
    return similar(Ids.of(item), k).longs(0);
  }

  /**
   * The k items most similar to each.
   *
   * @throws RecException.Unsupported for a model without item similarities.
   */
  public Recommendations similar(Ids items, int k) {
    return similar(items, k, null, null);
  }

  /**
   * The same of some items.
   *
   * @param allow nullable: items that alone may be returned. @param deny nullable: items that may not.
   */
  public Recommendations similar(Ids items, int k, Ids allow, Ids deny) {
    return answer(items, "items", false, k, (wanted, rows, scores, status) -> Raw.rec_flat_similar(this, 0, items, wanted,
        bits(allow, false), bits(deny, false), rows, scores, status));
  }

  /**
   * The k users most similar to each, itself left out: their ids are the answer's, and its rows are user rows.
   *
   * @param allow nullable: users that alone may be returned. @param deny nullable: users that may not.
   * @throws RecException.Unsupported for a model without user vectors.
   */
  public Recommendations similarUsers(Ids users, int k, Ids allow, Ids deny) {
    return answer(users, "users", true, k, (wanted, rows, scores, status) -> Raw.rec_flat_similar(this, 1, users, wanted,
        bits(allow, true), bits(deny, true), rows, scores, status));
  }

  /**
   * Scores of the request's candidates in the order given, negative infinity for an unknown item or user.
   *
   * @return for each user its scores.
   */
  public float[][] score(Request request) {
    int n = request.users.size();
    if (request.candidates == null) {
      throw RecException.invalid("candidates", "must be given");
    }
    long[] offsets = request.candidateOffsets;
    int each = request.candidates.size();
    float[] scores = new float[offsets == null ? Math.multiplyExact(n, each) : each];
    int[] status = new int[n];
    Raw.rec_flat_score(this, request.users, request.historyItems, request.historyOffsets, request.historyTimes,
        request.requestTimes, request.candidates, offsets, scores, status);
    checkKnown(request.users, status, "users");
    float[][] answer = new float[n][];
    for (int i = 0; i < n; ++i) {
      int from = offsets == null ? i * each : (int) offsets[i];
      int to = offsets == null ? from + each : (int) offsets[i + 1];
      answer[i] = Arrays.copyOfRange(scores, from, to);
    }
    return answer;
  }

  private void topK(Request r, int k, Object rows, Object scores, Object status) {
    if (r.isPlain()) {
      Raw.rec_flat_recommend(this, k, r.users, rows, scores, status);
      return;
    }
    Raw.rec_flat_top_k(this, k, r.users, r.historyItems, r.historyOffsets, r.historyTimes, r.requestTimes, r.candidates,
        r.candidateOffsets, bits(r.allow, false), bits(r.deny, false), rows, scores, status);
  }

  private byte[] bits(Ids ids, boolean ofUsers) {
    if (ids == null) {
      return null;
    }
    byte[] bits = new byte[(size(ofUsers) + 7) / 8];
    for (long row : mapped(() -> ofUsers ? maps.userRows(ids) : maps.itemRows(ids))) {
      if (row >= 0) {
        bits[(int) (row / 8)] |= (byte) (1 << row % 8);
      }
    }
    return bits;
  }

  /** What the maps answer; they may have been closed with the recommender by another thread. */
  private <T> T mapped(Supplier<T> answer) {
    try {
      return answer.get();
    } catch (RecException.Closed e) {
      throw RecException.closed(this);
    }
  }

  @Override
  protected String summary() {
    return " of" + maps.summary();
  }

  private interface Ranking {
    void fill(int k, long[] rows, float[] scores, int[] status);
  }

  private int size(boolean ofUsers) {
    return ofUsers ? mapped(maps::nUsers) : nItems;
  }

  /** The k best for each of ids, items or users; name is the argument that the ids were given as. */
  private Recommendations answer(Ids ids, String name, boolean ofUsers, int k, Ranking ranking) {
    int wanted = Math.max(1, Math.min(k, size(ofUsers)));
    long[] rows = new long[Math.multiplyExact(ids.size(), wanted)];
    float[] scores = new float[rows.length];
    int[] status = new int[ids.size()];
    ranking.fill(k < 1 ? k : wanted, rows, scores, status);
    checkKnown(ids, status, name);
    return new Recommendations(mapped(() -> ofUsers ? maps.userIds(rows) : maps.itemIds(rows)), rows, scores, wanted);
  }

  private void checkKnown(Ids ids, int[] status, String name) {
    for (int i = 0; strict && i < status.length; ++i) {
      if (status[i] != Raw.REC_OK) {
        String message = name + ": " + ids.string(i) + " (row " + i + ") is unknown to the model";
        throw new RecException.UnknownId().saying(Raw.REC_NOT_FOUND, message, name);
      }
    }
  }
}
