import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** Bounds how many requests rank at once, and lends each the memory for it. */
final class Workers {
  private final LinkedTransferQueue<Answer> free = new LinkedTransferQueue<>(); // who waits longest is served first
  private final AtomicInteger waiting = new AtomicInteger();
  private final int maxWaiting;

  Workers(int n, int maxWaiting) {
    this.maxWaiting = maxWaiting;
    for (int i = 0; i < n; ++i) {
      free.add(new Answer());
    }
  }

  /** An empty answer, which the caller must give back. */
  Answer take() {
    Answer answer = free.poll();
    if (answer == null) {
      answer = await();
    }
    answer.text.setLength(0);
    return answer;
  }

  void giveBack(Answer answer) {
    free.add(answer);
  }

  private Answer await() {
    try {
      if (waiting.incrementAndGet() <= maxWaiting) {
        return free.take();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      waiting.decrementAndGet();
    }
    throw new Refusal(503, "too many requests are waiting");
  }
}
