package io.recore.internal;

import io.recore.RecException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * An object of the library. Closing it twice does nothing; using it afterwards throws; the garbage collector closes what
 * the program forgot. Closing it while another thread is in a call is safe: the object ends with its last use.
 *
 * <p>Native methods take the Handle itself and read {@code raw}: an argument of a native method is reachable until it
 * returns, so the collector cannot close an object under a call.
 */
public abstract class Handle implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();
  private static final int MANY = 1024;
  private static final AtomicInteger OPEN = new AtomicInteger();
  private static volatile int nextNudge = MANY;

  private volatile long raw; // 0 = closed
  private final Owned owned;
  private final Cleaner.Cleanable cleanable;

  /**
   * @param kind one of Raw.REC_JAVA_*.
   * @param raw a handle of that kind, which this object takes over.
   */
  @SuppressWarnings("this-escape") // the Cleaner only compares it
  protected Handle(int kind, long raw) {
    this.raw = raw;
    owned = new Owned(kind, raw);
    cleanable = register(this, owned);
  }

  /** Another owner of the object of other, which may then be closed; a closed one when the object has ended. */
  @SuppressWarnings("this-escape")
  protected Handle(Handle other) {
    owned = other.owned;
    boolean isThere = owned.add();
    raw = isThere ? owned.raw : 0;
    cleanable = isThere ? register(this, owned) : () -> {};
    Reference.reachabilityFence(other);
  }

  /**
   * The collector does not see the memory behind handles. When there are many it is told to look for forgotten ones, as
   * the JDK does for direct buffers.
   */
  private static Cleaner.Cleanable register(Object owner, Owned owned) {
    int open = OPEN.incrementAndGet();
    if (open > nextNudge) {
      nextNudge = 2 * open;
      System.gc();
    }
    return CLEANER.register(owner, owned);
  }

  /** Ends the object, now or when calls in flight on other threads are done. */
  @Override
  public void close() {
    raw = 0;
    cleanable.clean();
  }

  public boolean isClosed() {
    return raw == 0;
  }

  /** Ends an object that the caller took over from the library when owner is collected. */
  public static void endWith(Object owner, int kind, long raw) {
    register(owner, new Owned(kind, raw));
  }

  /** Name and sizes of the open object, for logs; a closed one says so. */
  @Override
  public final String toString() {
    String kind = getClass().getSimpleName();
    try {
      return isClosed() ? kind + ", closed" : kind + summary();
    } catch (RecException.Closed e) { // meanwhile
      return kind + ", closed";
    }
  }

  /** What toString() says after the kind of an open object. */
  protected String summary() {
    return "";
  }

  /** An object of the library, which ends with its last owner. Runs once for each, as Cleaner promises. */
  private static final class Owned implements Runnable {
    final int kind;
    final long raw;
    private final AtomicInteger owners = new AtomicInteger(1);

    Owned(int kind, long raw) {
      this.kind = kind;
      this.raw = raw;
    }

    /** Whether there is one more owner now: not once the last one has gone. */
    boolean add() {
      return owners.getAndUpdate(n -> n == 0 ? 0 : n + 1) > 0;
    }

    @Override
    public void run() {
      if (owners.decrementAndGet() == 0) {
        Raw.rec_java_end(kind, raw);
      }
      nextNudge = Math.max(MANY, 2 * OPEN.decrementAndGet());
    }
  }
}
