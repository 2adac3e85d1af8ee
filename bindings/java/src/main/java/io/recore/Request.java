package io.recore;

import java.util.Arrays;
import java.util.List;

/**
 * Who asks, and for what; one answer for each user. A request can be reused: with ids over direct buffers, refilling them
 * allocates nothing. Must not be changed while a thread asks with it.
 */
public final class Request {
  final Ids users;
  Ids historyItems;
  long[] historyOffsets;
  long[] historyTimes;
  long[] requestTimes;
  Ids candidates;
  long[] candidateOffsets;
  Ids allow;
  Ids deny;

  private Request(Ids users) {
    this.users = users;
  }

  public static Request of(Ids users) {
    return new Request(users);
  }

  public static Request of(String... users) {
    return new Request(Ids.of(users));
  }

  public static Request of(long... users) {
    return new Request(Ids.of(users));
  }

  /** Users known only by a history, one for each history. */
  public static Request anonymous(List<Ids> histories) {
    long[] rows = new long[histories.size()];
    Arrays.fill(rows, -1);
    return new Request(Ids.rows(rows)).histories(histories);
  }

  /** The items that each user had, instead of what the model file knows. */
  public Request histories(List<Ids> histories) {
    long[] offsets = offsets(histories, "histories");
    return histories(Ids.concat(histories, "histories", offsets), offsets);
  }

  /** The same in one list: user i had items[offsets[i] .. offsets[i + 1]). */
  public Request histories(Ids items, long[] offsets) {
    historyItems = items;
    historyOffsets = offsets;
    return this;
  }

  /** UTC epoch seconds of every item of the histories, for models that use times. */
  public Request historyTimes(long... times) {
    historyTimes = times;
    return this;
  }

  /** [n] UTC epoch seconds of each user's request, likewise. */
  public Request requestTimes(long... times) {
    requestTimes = times;
    return this;
  }

  /** Ranks or scores only these items, the same for every user. */
  public Request candidates(Ids items) {
    candidates = items;
    candidateOffsets = null;
    return this;
  }

  /** Ranks or scores only these items, a list for each user. */
  public Request candidates(List<Ids> items) {
    long[] offsets = offsets(items, "candidates");
    return candidates(Ids.concat(items, "candidates", offsets), offsets);
  }

  /** The same in one list: those of user i are items[offsets[i] .. offsets[i + 1]). */
  public Request candidates(Ids items, long[] offsets) {
    candidates = items;
    candidateOffsets = offsets;
    return this;
  }

  /** Items that alone may be returned. Not for score(). */
  public Request allow(Ids items) {
    allow = items;
    return this;
  }

  /** Items that may not be returned. Not for score(). */
  public Request deny(Ids items) {
    deny = items;
    return this;
  }

  /** Whether it gives users only. */
  boolean isPlain() {
    return historyItems == null && candidates == null && allow == null && deny == null && historyTimes == null
        && requestTimes == null;
  }

  private long[] offsets(List<Ids> lists, String name) {
    if (lists.size() != users.size()) {
      throw RecException.invalid(name, "must be as many lists as users, " + users.size() + ", got " + lists.size());
    }
    return new long[lists.size() + 1];
  }
}
