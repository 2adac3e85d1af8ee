package io.recore;

/** Stops long calls from another thread. One token may serve several calls; once cancelled it stays so. Needs no close. */
public final class CancelToken {
  private volatile boolean isCancelled;

  /** Asks every call that has the token to end with a CancellationException, within 200 ms. */
  public void cancel() {
    isCancelled = true;
  }

  public boolean isCancelled() {
    return isCancelled;
  }
}
