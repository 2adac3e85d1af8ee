package io.recore.internal;

import java.lang.ref.Cleaner;
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
  private final Cleaner.Cleanable cleanable;

  /**
   * @param kind one of Raw.REC_JAVA_*.
   * @param raw a handle of that kind, which this object takes over.
   */
  @SuppressWarnings("this-escape") // the Cleaner only compares it
  protected Handle(int kind, long raw) {
    this.raw = raw;
    cleanable = register(this, kind, raw);
  }

  /**
   * The collector does not see the memory behind handles. When there are many it is told to look for forgotten ones, as
   * the JDK does for direct buffers.
   */
  private static Cleaner.Cleanable register(Object owner, int kind, long raw) {
    int open = OPEN.incrementAndGet();
    if (open > nextNudge) {
      nextNudge = 2 * open;
      System.gc();
    }
    return CLEANER.register(owner, new End(kind, raw));
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
    register(owner, kind, raw);
  }

  /** Runs at most once, as Cleaner promises. */
  private record End(int kind, long raw) implements Runnable {
    @Override
    public void run() {
      Raw.rec_java_end(kind, raw);
      nextNudge = Math.max(MANY, 2 * OPEN.decrementAndGet());
    }
  }
}
