package io.recore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;

/** Answers to a request: up to k items for each of its users, best first. Immutable. */
public final class Recommendations {
  private final Ids items; // [n * k], padded
  private final long[] rows; // [n * k], -1 = padding
  private final float[] scores;
  private final int k;

  Recommendations(Ids items, long[] rows, float[] scores, int k) {
    this.items = items;
    this.rows = rows;
    this.scores = scores;
    this.k = k;
  }

  /** Number of users, or of items for similar(). */
  public int size() {
    return rows.length / k;
  }

  /** Number of answers for one of them; 0 for an unknown one. */
  public int count(int user) {
    int n = 0;
    while (n < k && rows[user * k + n] >= 0) {
      ++n;
    }
    return n;
  }

  /** Items as text, an int64 in decimal. */
  public List<Scored<String>> strings(int user) {
    return list(user, items::string);
  }

  /**
   * @throws RecException.Unsupported for items whose ids are byte strings.
   */
  public List<Scored<Long>> longs(int user) {
    return list(user, items::number);
  }

  /**
   * @throws RecException.Unsupported for items whose ids are int64.
   */
  public List<Scored<byte[]>> bytes(int user) {
    return list(user, items::bytes);
  }

  /** Rows of the items in the model. */
  public long[] rows(int user) {
    return Arrays.copyOfRange(rows, user * k, user * k + count(user));
  }

  public float[] scores(int user) {
    return Arrays.copyOfRange(scores, user * k, user * k + count(user));
  }

  private <T> List<Scored<T>> list(int user, IntFunction<T> item) {
    int n = count(user);
    List<Scored<T>> answers = new ArrayList<>(n);
    for (int i = user * k; i < user * k + n; ++i) {
      answers.add(new Scored<>(item.apply(i), scores[i]));
    }
    return answers;
  }
}
