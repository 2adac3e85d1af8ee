package io.recore;

import io.recore.internal.Raw;
import io.recore.internal.rec_protocol_t;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What is ranked for whom in an evaluation. Immutable: each method returns a changed copy. Zeros mean the defaults. */
public final class Protocol {
  public enum Rows {
    /** A row is a user with all its items of the part. */
    USER(Raw.REC_ROWS_USER),
    /** One interaction, with the history before it. */
    EVENT(Raw.REC_ROWS_EVENT),
    /** An impression list, ranked by itself. */
    LIST(Raw.REC_ROWS_LIST),
    /** A labelled interaction. */
    LABEL(Raw.REC_ROWS_LABEL);

    final int number;

    Rows(int number) {
      this.number = number;
    }
  }

  public enum Candidates {
    /** All items but the masked ones. */
    FULL(Raw.REC_CANDIDATES_FULL),
    /** The lists that came with the data set. */
    GIVEN(Raw.REC_CANDIDATES_GIVEN),
    /** A number of items drawn uniformly for each positive. */
    UNIFORM(Raw.REC_CANDIDATES_UNIFORM),
    /** The same, drawn by training count. */
    POPULAR(Raw.REC_CANDIDATES_POPULAR);

    final int number;

    Candidates(int number) {
      this.number = number;
    }
  }

  public enum Mask {
    /** Items that the user had before the part. */
    KNOWN(Raw.REC_MASK_KNOWN),
    NONE(Raw.REC_MASK_NONE),
    /** Items of the train part only. */
    TRAIN(Raw.REC_MASK_TRAIN);

    final int number;

    Mask(int number) {
      this.number = number;
    }
  }

  public enum Ties {
    LOWER_ROW(Raw.REC_TIES_LOWER_ROW),
    AGAINST_TARGET(Raw.REC_TIES_AGAINST_TARGET);

    final int number;

    Ties(int number) {
      this.number = number;
    }
  }

  /** What a model may know about the user of a row. A choice other than the default is part of a metric's name. */
  public enum History {
    /** TRAINING for rows of users, BEFORE for other rows. */
    DEFAULT(Raw.REC_HISTORY_DEFAULT),
    /** The user's train part. */
    TRAINING(Raw.REC_HISTORY_TRAINING),
    /** What happened before the row; for a user, the parts before. */
    BEFORE(Raw.REC_HISTORY_BEFORE);

    final int number;

    History(int number) {
      this.number = number;
    }
  }

  private final List<Consumer<rec_protocol_t>> settings;
  private final int threads;

  private Protocol(List<Consumer<rec_protocol_t>> settings, int threads) {
    this.settings = settings;
    this.threads = threads;
  }

  /** Full ranking of the test part by user, known items left out. */
  public static Protocol test() {
    return of(Part.TEST);
  }

  /** The same for the valid part. */
  public static Protocol valid() {
    return of(Part.VALID);
  }

  private static Protocol of(Part part) {
    return new Protocol(List.of(raw -> raw.setPart(part.number)), 0);
  }

  public Protocol rows(Rows rows) {
    return with(raw -> raw.setRows(rows.number));
  }

  public Protocol candidates(Candidates candidates) {
    return candidates(candidates, 0, 0);
  }

  /**
   * @param n drawn for each positive; 0 = 99.
   */
  public Protocol candidates(Candidates candidates, long n, long seed) {
    return with(raw -> {
      raw.setCandidates(candidates.number);
      raw.setN_candidates(n);
      raw.setSeed(seed);
    });
  }

  public Protocol mask(Mask mask) {
    return with(raw -> raw.setMask(mask.number));
  }

  public Protocol ties(Ties ties) {
    return with(raw -> raw.setTies(ties.number));
  }

  /** Clicked and shown items of an impression list that count; 0 = 20. */
  public Protocol listSlots(long maxPos, long maxNeg) {
    return with(raw -> {
      raw.setMax_pos(maxPos);
      raw.setMax_neg(maxNeg);
    });
  }

  public Protocol history(History history) {
    return with(raw -> raw.setHistory(history.number));
  }

  /**
   * With rows that are events, as in the GRU4Rec authors' evaluation of sessions: those of items that the model does not know
   * are left out, and the first of a user is no row.
   */
  public Protocol skipFirst() {
    return with(raw -> raw.setSkip_first(1));
  }

  /** Measures n of the users with rows, drawn by the seed, the same in each evaluation; the metric's name says so. */
  public Protocol users(long n, long seed) {
    return with(raw -> {
      raw.setN_users(n);
      raw.setSeed(seed);
    });
  }

  /** The report keeps the first n items that each row ranked, {@link Report#lists}. */
  public Protocol keepLists(long n) {
    return with(raw -> raw.setKeep_lists(n));
  }

  /** Threads that evaluate; 0 = as many as the machine has. */
  public Protocol threads(int threads) {
    return new Protocol(settings, threads);
  }

  int threads() {
    return threads;
  }

  private Protocol with(Consumer<rec_protocol_t> setting) {
    List<Consumer<rec_protocol_t>> all = new ArrayList<>(settings);
    all.add(setting);
    return new Protocol(all, threads);
  }

  /** For the raw layer; to be closed. */
  rec_protocol_t toRaw() {
    var raw = new rec_protocol_t();
    settings.forEach(setting -> setting.accept(raw));
    return raw;
  }
}
