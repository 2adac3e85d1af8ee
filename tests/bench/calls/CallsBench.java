package calls;

import io.recore.Ids;
import io.recore.Model;
import io.recore.Recommender;
import io.recore.RecommenderOptions;
import io.recore.Request;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One recommend for one user; see calls.py. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CallsBench {
  private final long user = Long.parseLong(System.getenv("REC_BENCH_USER"));
  private final int k = Integer.parseInt(System.getenv("REC_BENCH_K"));
  private final LongBuffer users = direct(8).asLongBuffer();
  private final LongBuffer rows = direct(8 * k).asLongBuffer();
  private final FloatBuffer scores = direct(4 * k).asFloatBuffer();
  private final long[] rowArray = new long[k];
  private final float[] scoreArray = new float[k];
  private final Request request = Request.of(Ids.of(users));
  private Model model;
  private Recommender recommender;

  private static ByteBuffer direct(int n) {
    return ByteBuffer.allocateDirect(n).order(ByteOrder.nativeOrder());
  }

  @Setup
  public void open() {
    model = Model.load(Path.of(System.getenv("REC_BENCH_MODEL")));
    recommender = model.recommender(new RecommenderOptions().excludeSeen());
  }

  @TearDown
  public void close() {
    recommender.close();
    model.close();
  }

  @Benchmark
  public long recommendInto() {
    users.put(0, user); // a service would set a new user here
    recommender.recommendInto(request, k, rows, scores, null);
    return rows.get(0);
  }

  @Benchmark
  public long recommendIntoArrays() {
    users.put(0, user);
    recommender.recommendInto(request, k, rowArray, scoreArray, null);
    return rowArray[0];
  }

  @Benchmark
  public Object recommend() {
    return recommender.recommend(user, k);
  }
}
