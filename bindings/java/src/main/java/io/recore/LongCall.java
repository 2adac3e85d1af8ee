package io.recore;

import java.util.concurrent.CancellationException;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A long call. The bridge reads its fields, and asks it every 25 ms, on the calling thread, whether to go on. */
final class LongCall {
  private final CancelToken token;
  private final Predicate<Event> listener;
  private final int kinds;
  private final int threads;
  private final int isolation;
  private boolean isCancelled;

  private LongCall(CancelToken token, Predicate<Event> listener, int kinds, int threads, int isolation) {
    this.token = token;
    this.listener = listener;
    this.kinds = kinds;
    this.threads = threads;
    this.isolation = isolation;
  }

  /**
   * Does work, which passes the call on to the library.
   *
   * @param token nullable.
   * @throws CancellationException when the token was cancelled, or this thread interrupted; the flag stays set.
   */
  static void run(CancelToken token, Consumer<LongCall> work) {
    run(new LongCall(token, null, 0, 0, Isolation.AUTO.number), work);
  }

  /** The same for work that makes an object; returns its handle. */
  static long make(CancelToken token, BiConsumer<LongCall, long[]> work) {
    return make(token, 0, Isolation.AUTO, work);
  }

  /** The same for an evaluation, which makes a report. */
  static long make(CancelToken token, int threads, Isolation isolation, BiConsumer<LongCall, long[]> work) {
    long[] out = new long[1];
    run(new LongCall(token, null, 0, threads, isolation.number), call -> work.accept(call, out));
    return out[0];
  }

  /**
   * The same for training, whose events of these kinds (bits 1 << kind) go to the listener.
   *
   * @return false when the listener asked to stop.
   */
  static boolean run(CancelToken token, Predicate<Event> listener, int kinds, Consumer<LongCall> work) {
    var call = new LongCall(token, listener, kinds, 0, Isolation.AUTO.number);
    try {
      run(call, work);
      return true;
    } catch (RecException.Cancelled e) {
      return false;
    }
  }

  private static void run(LongCall call, Consumer<LongCall> work) {
    Log.followLevel();
    try {
      work.accept(call);
    } catch (RecException.Cancelled e) {
      throw call.isCancelled ? call.cancelled(e) : e;
    }
  }

  /** Called by the bridge. */
  private boolean goOn() {
    isCancelled = Thread.currentThread().isInterrupted() || token != null && token.isCancelled();
    return !isCancelled;
  }

  private CancellationException cancelled(RecException.Cancelled cause) {
    var exception = new CancellationException(Thread.currentThread().isInterrupted() ? "interrupted" : "cancelled");
    exception.initCause(cause);
    return exception;
  }
}
