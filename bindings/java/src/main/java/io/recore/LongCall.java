package io.recore;

import io.recore.internal.Handle;
import io.recore.internal.Raw;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * The cancel token of one call that takes its time. The caller is inside the library meanwhile and cannot see its own
 * interrupt flag, so one daemon thread looks at the flags of all callers; it ends a second after the last call.
 */
final class LongCall extends Handle {
  private static final int POLL_MS = 25;
  private static final ScheduledThreadPoolExecutor WATCH = new ScheduledThreadPoolExecutor(1, work -> {
    Thread thread = new Thread(work, "recore-interrupts");
    thread.setDaemon(true);
    return thread;
  });

  static {
    WATCH.setKeepAliveTime(1, TimeUnit.SECONDS);
    WATCH.allowCoreThreadTimeOut(true);
    WATCH.setRemoveOnCancelPolicy(true);
  }

  private final Thread caller = Thread.currentThread();
  private volatile boolean isRequested;

  private LongCall(long raw) {
    super(Raw.REC_JAVA_CANCEL, raw);
  }

  /**
   * Does work, which hands the call to the library.
   *
   * @param token nullable.
   * @throws RecException.Cancelled when the work ended so though nobody asked: a listener said stop.
   * @throws CancellationException when the token was cancelled, or this thread interrupted; the flag stays set.
   */
  static void run(CancelToken token, Consumer<Handle> work) {
    Log.followLevel();
    long[] raw = new long[1];
    Raw.rec_cancel_create(raw);
    try (LongCall call = new LongCall(raw[0])) {
      call.stopIfInterrupted();
      Future<?> watch = WATCH.scheduleWithFixedDelay(call::stopIfInterrupted, POLL_MS, POLL_MS, TimeUnit.MILLISECONDS);
      if (token != null) {
        token.add(call);
      }
      try {
        work.accept(call);
      } catch (RecException.Cancelled e) {
        if (!call.isRequested) {
          throw e;
        }
        var cancelled = new CancellationException(call.caller.isInterrupted() ? "interrupted" : "cancelled");
        cancelled.initCause(e);
        throw cancelled;
      } finally {
        watch.cancel(false);
        if (token != null) {
          token.remove(call);
        }
      }
    }
  }

  void request() {
    isRequested = true;
    try {
      Raw.rec_cancel_request(this);
    } catch (RecException.BadState e) {
      // the call is over
    }
  }

  private void stopIfInterrupted() {
    if (caller.isInterrupted()) {
      request();
    }
  }
}
