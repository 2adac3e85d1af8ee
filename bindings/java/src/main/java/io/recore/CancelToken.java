package io.recore;

import java.util.HashSet;
import java.util.Set;

/** Stops long calls from another thread. One token may serve several; once cancelled it stays so. Needs no close. */
public final class CancelToken {
  private final Set<LongCall> calls = new HashSet<>();
  private boolean isCancelled;

  /** Asks every call that holds the token to end with a CancellationException, within 200 ms. */
  public synchronized void cancel() {
    isCancelled = true;
    calls.forEach(LongCall::request);
  }

  public synchronized boolean isCancelled() {
    return isCancelled;
  }

  synchronized void add(LongCall call) {
    calls.add(call);
    if (isCancelled) {
      call.request();
    }
  }

  synchronized void remove(LongCall call) {
    calls.remove(call);
  }
}
