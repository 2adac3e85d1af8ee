package io.recore;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.recore.internal.RawConstants;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.nio.ReadOnlyBufferException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.function.IntConsumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ServingTest {
  static final Recommender plain = Fixture.model.recommender();
  static final Recommender unseen = Fixture.model.recommender(new RecommenderOptions().excludeSeen());

  @TempDir Path folder;

  private static List<String> items(List<Scored<String>> answers) {
    return answers.stream().map(Scored::item).toList();
  }

  @Test
  void answersAreBestFirstAndSeenItemsAreLeftOut() {
    Ids users = Fixture.model.userIds();
    Recommendations all = plain.recommend(users, 1000);
    Recommendations left = unseen.recommend(users, 1000);
    assertEquals(600, left.size());
    for (int i = 0; i < users.size(); ++i) {
      assertEquals(400, all.count(i));
      assertTrue(left.count(i) < 400);
      List<String> expected = new ArrayList<>(items(all.strings(i)));
      expected.retainAll(Set.copyOf(items(left.strings(i))));
      assertEquals(expected, items(left.strings(i)));
      float[] scores = left.scores(i);
      for (int j = 1; j < scores.length; ++j) {
        assertTrue(scores[j - 1] >= scores[j]);
      }
      assertEquals(left.count(i), left.rows(i).length);
    }
  }

  @Test
  void oneAskedAloneAnswersAsInTheBatch() {
    Ids users = Fixture.model.userIds(3, 17, 599);
    Recommendations batch = unseen.recommend(users, 10);
    for (int i = 0; i < 3; ++i) {
      assertEquals(batch.strings(i), unseen.recommend(users.string(i), 10));
    }
  }

  @Test
  void unknownUsersHaveNoAnswersOrThrowWhenStrict() {
    assertEquals(List.of(), plain.recommend("nobody", 3));
    try (Recommender strict = Fixture.model.recommender(new RecommenderOptions().strict())) {
      var error = assertThrows(RecException.UnknownId.class, () -> strict.recommend(Ids.of("u0061", "nobody"), 3));
      assertTrue(error.getMessage().contains("nobody") && error.status().equals("NOT_FOUND"), error.getMessage());
      assertThrows(RecException.UnknownId.class, () -> strict.similar(Ids.of("film-001", "film-x"), 3));
      assertThrows(RecException.UnknownId.class, () -> strict.score(Request.of("nobody").candidates(Ids.of("film-001"))));
    }
  }

  @Test
  void historiesStandInForUsers() {
    try (Model model = Rec.train(Fixture.orchard, TrainOptions.of("itemknn"));
        Recommender recommender = model.recommender(new RecommenderOptions().excludeSeen())) {
      List<Ids> histories = List.of(Ids.of("film-001", "film-002"), Ids.of("film-003", "no such film"), Ids.of(new String[0]));
      Recommendations anonymous = recommender.recommend(Request.anonymous(histories), 5);
      Recommendations named = recommender.recommend(Request.of("new 1", "new 2", "new 3").histories(histories), 5);
      for (int i = 0; i < 3; ++i) {
        assertEquals(i == 2 ? anonymous.count(2) : 5, anonymous.count(i));
        assertEquals(anonymous.strings(i), named.strings(i));
      }
      assertFalse(items(anonymous.strings(0)).contains("film-001"));
      assertThrows(RecException.InvalidArgument.class, () -> Request.of("a").histories(histories));
    }
  }

  @Test
  void timesReachModelsThatLookAtThem() {
    TrainOptions options = TrainOptions.of("slrc_plus").set("epochs", 2).set("batch_size", 512).set("emb_size", 8);
    try (Model model = Rec.train(Fixture.orchard, options); Recommender recommender = model.recommender()) {
      List<Ids> history = List.of(Ids.of("film-001", "film-002", "film-003"));
      Request request = Request.of("u0061").histories(history).historyTimes(1000, 2000, 3000).candidates(history.get(0));
      float[] early = recommender.score(request.requestTimes(4000))[0];
      float[] late = recommender.score(request.requestTimes(90_000_000))[0];
      assertFalse(Arrays.equals(early, late), Arrays.toString(early));
      assertEquals(late[0], recommender.recommend(request, 3).strings(0).stream().filter(a -> a.item().equals("film-001")).findFirst().orElseThrow().score());
      assertThrows(RecException.InvalidArgument.class, () -> recommender.recommend(Request.of("u0061").histories(history).historyTimes(1), 5));
      assertThrows(RecException.InvalidArgument.class, () -> recommender.recommend(Request.of("u0061").requestTimes(1, 2), 5));
    }
  }

  @Test
  void candidatesAndFiltersChooseAmongItems() {
    Ids pool = Ids.of("film-009", "film-001", "film-005", "unknown");
    List<String> one = items(plain.recommend(Request.of("u0061").candidates(pool), 10).strings(0));
    assertEquals(Set.of("film-009", "film-001", "film-005"), Set.copyOf(one));
    assertEquals(one, items(plain.recommend(Request.of("u0061").allow(pool), 10).strings(0)));
    Recommendations each = plain.recommend(Request.of("u0061", "u0511").candidates(List.of(Ids.of("film-009"), Ids.of("film-001", "film-005"))), 10);
    assertEquals(List.of(1, 2), List.of(each.count(0), each.count(1)));
    Set<String> denied = new HashSet<>(items(plain.recommend(Request.of("u0061").deny(pool), 400).strings(0)));
    assertEquals(397, denied.size());
    assertFalse(denied.removeAll(pool.toStrings()));
  }

  @Test
  void scoresAreThoseOfTheRanking() {
    Recommendations ranked = plain.recommend(Ids.of("u0061", "u0511"), 7);
    List<Ids> each = List.of(Ids.ofStrings(items(ranked.strings(0))), Ids.ofStrings(items(ranked.strings(1))));
    float[][] scores = plain.score(Request.of("u0061", "u0511").candidates(each));
    assertArrayEquals(ranked.scores(0), scores[0]);
    assertArrayEquals(ranked.scores(1), scores[1]);
    float[][] shared = plain.score(Request.of("u0061", "u0511").candidates(Ids.of("unknown", each.get(0).string(0))));
    assertEquals(Float.NEGATIVE_INFINITY, shared[1][0]);
    assertEquals(ranked.scores(0)[0], shared[0][1]);
    assertThrows(RecException.InvalidArgument.class, () -> plain.score(Request.of("u0061")));
  }

  @Test
  void similarItemsLeaveOutTheItemItself() {
    Recommendations batch = plain.similar(Ids.of("film-001", "film-x"), 5);
    assertEquals(List.of(5, 0), List.of(batch.count(0), batch.count(1)));
    assertFalse(items(batch.strings(0)).contains("film-001"));
    assertEquals(batch.strings(0), plain.similar("film-001", 5));
    String nearest = items(batch.strings(0)).get(0);
    Ids asked = Ids.of(new String[] {"film-001"});
    assertEquals(batch.strings(0).subList(1, 5), plain.similar(asked, 4, null, Ids.of(new String[] {nearest})).strings(0));
    assertEquals(batch.strings(0).subList(0, 1), plain.similar(asked, 4, Ids.of(new String[] {nearest}), null).strings(0));
    assertEquals(400, Fixture.model.titles(Fixture.model.itemIds()).size());
  }

  @Test
  void similarUsersAreNearByCosine() {
    Recommendations all = plain.similarUsers(Ids.of("u0061", "nobody"), 5, null, null);
    assertEquals(List.of(5, 0), List.of(all.count(0), all.count(1)));
    List<Scored<String>> users = all.strings(0);
    assertFalse(items(users).contains("u0061"));
    float[] own = vector("u0061");
    for (Scored<String> user : users) {
      float[] other = vector(user.item());
      double dot = 0;
      double squares = 0;
      double otherSquares = 0;
      for (int i = 0; i < own.length; ++i) {
        dot += own[i] * other[i];
        squares += own[i] * own[i];
        otherSquares += other[i] * other[i];
      }
      assertEquals(dot / Math.sqrt(squares * otherSquares), user.score(), 1e-5);
    }
    Ids asked = Ids.of(new String[] {"u0061"});
    Ids nearest = Ids.of(new String[] {users.get(0).item()});
    assertEquals(users.subList(1, 5), plain.similarUsers(asked, 4, null, nearest).strings(0));
    assertEquals(users.subList(0, 1), plain.similarUsers(asked, 4, nearest, null).strings(0));
  }

  private static float[] vector(String user) {
    return Fixture.model.userVectors().row((int) Fixture.model.userRows(Ids.of(new String[] {user}))[0]);
  }

  @Test
  void kIsChecked() {
    for (int k : new int[] {0, -1}) {
      assertEquals("k", assertThrows(RecException.InvalidArgument.class, () -> plain.recommend("u0061", k)).argument());
      assertThrows(RecException.InvalidArgument.class, () -> plain.similar("film-001", k));
    }
    assertEquals(400, plain.recommend("u0061", Integer.MAX_VALUE).size());
    try (Recommender five = Fixture.model.recommender(new RecommenderOptions().maxK(5))) {
      assertThrows(RecException.InvalidArgument.class, () -> five.recommend("u0061", 6));
    }
    assertEquals(0, plain.recommend(Ids.of(new String[0]), 3).size());
  }

  @Test
  void longIdsAreLongs() {
    Columns columns = Dataset.columns(Ids.of(Long.MIN_VALUE, -1, 0, Long.MAX_VALUE), Ids.of(-7, 0, -7, Long.MAX_VALUE));
    try (Model model = Rec.train(columns.build(), TrainOptions.of("popularity")); Recommender recommender = model.recommender()) {
      List<Scored<Long>> answers = recommender.recommend(Long.MIN_VALUE, 10);
      assertEquals(-7L, answers.get(0).item());
      assertEquals(3, answers.size());
      assertEquals("-7", recommender.recommend(Ids.of(-1), 1).strings(0).get(0).item());
      assertArrayEquals(new long[] {Long.MIN_VALUE, -1, 0, Long.MAX_VALUE}, model.userIds().toLongs());
      assertThrows(RecException.Unsupported.class, () -> recommender.recommend(Ids.of(-1), 1).bytes(0));
    }
    assertThrows(RecException.Unsupported.class, () -> plain.recommend(Ids.of("u0061"), 1).longs(0));
  }

  private static ByteBuffer direct(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }

  @Test
  void theFastPathWritesIntoBuffersAndArraysAlike() {
    int n = 5;
    int k = 7;
    LongBuffer users = direct(8 * n).asLongBuffer().put(new long[] {0, 10, -1, 30, 599}).flip();
    Request request = Request.of(Ids.rows(users));
    LongBuffer rows = direct(8 * (n * k + 2)).asLongBuffer();
    FloatBuffer scores = direct(4 * n * k).asFloatBuffer();
    IntBuffer status = direct(4 * n).asIntBuffer();
    rows.put(0, -99).put(n * k + 1, -99).position(1);
    unseen.recommendInto(request, k, rows, scores, status);
    assertEquals(1, rows.position());
    assertEquals(List.of(-99L, -99L), List.of(rows.get(0), rows.get(n * k + 1)));
    long[] heapRows = new long[n * k];
    float[] heapScores = new float[n * k];
    int[] heapStatus = new int[n];
    unseen.recommendInto(request, k, heapRows, heapScores, heapStatus);
    long[] copied = new long[n * k];
    rows.get(copied);
    float[] copiedScores = new float[n * k];
    scores.get(copiedScores);
    assertArrayEquals(heapRows, copied);
    assertArrayEquals(heapScores, copiedScores);
    assertEquals(RawConstants.REC_NOT_FOUND, heapStatus[2]);
    assertEquals(-1, heapRows[2 * k]);
    List<Scored<String>> first = unseen.recommend(Fixture.model.userIds(0).string(0), k);
    assertEquals(items(first), Fixture.model.itemIds(Arrays.copyOf(heapRows, k)).toStrings());
    users.put(0, 599);
    unseen.recommendInto(request, k, heapRows, null, null);
    assertArrayEquals(Arrays.copyOfRange(heapRows, 0, k), Arrays.copyOfRange(heapRows, 4 * k, 5 * k));
  }

  @Test
  void theFastPathRefusesBuffersThatDoNotFit() {
    Request request = Request.of(Ids.rows(0, 1));
    LongBuffer rows = direct(8 * 6).asLongBuffer();
    FloatBuffer scores = direct(4 * 6).asFloatBuffer();
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 4, rows, scores, null));
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 3, rows.duplicate().position(1), scores, null));
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 3, LongBuffer.allocate(6), scores, null));
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 3, ByteBuffer.allocateDirect(48).order(ByteOrder.BIG_ENDIAN).asLongBuffer(), scores, null));
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 3, rows.asReadOnlyBuffer(), scores, null));
    assertThrows(RecException.InvalidArgument.class, () -> plain.recommendInto(request, 3, new long[6], new float[5], null));
  }

  @Test
  void theFastPathAllocatesNothing() {
    LongBuffer users = direct(8).asLongBuffer();
    Request byRow = Request.of(Ids.rows(users));
    Request byNumber = Request.of(Ids.of(users));
    Request byBytes = Request.of(Ids.packed(direct(5).put("u0061".getBytes(UTF_8)).flip(), direct(16).asLongBuffer().put(1, 5)));
    Request byHistory = Request.of(Ids.rows(users)).histories(Ids.rows(direct(8).asLongBuffer()), new long[] {0, 1});
    LongBuffer rows = direct(80).asLongBuffer();
    FloatBuffer scores = direct(40).asFloatBuffer();
    long[] rowArray = new long[10];
    float[] scoreArray = new float[10];
    int[] statusArray = new int[1];
    long[] manyRows = new long[200];
    for (Request request : List.of(byRow, byNumber, byBytes, byHistory)) {
      assertAllocatesNothing(i -> {
        users.put(0, i % 600);
        plain.recommendInto(request, 10, rows, scores, null);
      });
      assertAllocatesNothing(i -> plain.recommendInto(request, 10, rowArray, scoreArray, statusArray));
      assertAllocatesNothing(i -> plain.recommendInto(request, 200, manyRows, null, null));
    }
  }

  private static void assertAllocatesNothing(IntConsumer call) {
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    IntStream.range(0, 2000).forEach(call);
    long before = threads.getCurrentThreadAllocatedBytes();
    IntStream.range(0, 2000).forEach(call);
    long bytes = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(bytes < 2000, "bytes over 2000 calls: " + bytes);
  }

  @Test
  void threadsThatAskAtOnceGetTheSameAnswers() throws Exception {
    Ids users = Fixture.model.userIds();
    Recommendations expected = unseen.recommend(users, 10);
    var pool = Executors.newFixedThreadPool(8);
    try {
      Callable<Void> ask = () -> {
        for (int i = 0; i < users.size(); i += 7) {
          assertEquals(expected.strings(i), unseen.recommend(users.string(i), 10));
        }
        return null;
      };
      for (var answer : pool.invokeAll(Collections.nCopies(16, ask))) {
        answer.get();
      }
    } finally {
      pool.shutdown();
    }
  }

  @Test
  void aSavedModelAnswersTheSameFromFileAndMemory() throws Exception {
    Path path = folder.resolve("mödel😀.rec");
    Fixture.model.save(path);
    byte[] bytes = Files.readAllBytes(path);
    List<Scored<String>> expected = unseen.recommend("u0061", 10);
    ByteBuffer buffer = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
    for (Model again : List.of(Model.load(path), Model.load(bytes), Model.load(buffer))) {
      try (again; Recommender recommender = again.recommender(new RecommenderOptions().excludeSeen())) {
        assertEquals(expected, recommender.recommend("u0061", 10));
        assertEquals("bprmf", again.describe().get("model"));
        assertEquals(List.of(600, 400), List.of(again.nUsers(), again.nItems()));
      }
    }
    Fixture.model.save(path, false);
    try (Model anonymous = Model.load(path)) {
      assertThrows(RecException.Unsupported.class, () -> anonymous.recommender(new RecommenderOptions().excludeSeen()));
    }
    bytes[bytes.length - 9] ^= 1;
    var error = assertThrows(RecException.CorruptData.class, () -> Model.load(bytes));
    assertEquals("CORRUPT_DATA", error.status());
    assertThrows(RecException.Limit.class, () -> Model.load(path, 1000));
    assertThrows(RecException.NotFound.class, () -> Model.load(folder.resolve("nothing.rec")));
    assertThrows(RecException.NotFound.class, () -> Fixture.model.save(folder.resolve("no/such/folder/m.rec")));
  }

  @Test
  void vectorsOutliveTheirModelAndGiveItsScores() {
    Model model = Rec.train(Fixture.orchard, Fixture.small());
    float score;
    try (Recommender recommender = model.recommender()) {
      score = recommender.score(Request.of(Ids.rows(0)).candidates(Ids.rows(1)))[0][0];
    }
    FloatBuffer kept;
    float[] user = model.userVectors().row(0);
    {
      Vectors items = model.itemVectors();
      assertEquals(List.of(400, 8), List.of(items.rows(), items.columns()));
      kept = items.data().slice(8, 8);
    }
    model.close();
    for (int i = 0; i < 20; ++i) {
      System.gc();
      Rec.train(Fixture.orchard, TrainOptions.of("popularity")).close();
    }
    float dot = 0;
    for (int i = 0; i < 8; ++i) {
      dot += user[i] * kept.get(i);
    }
    assertEquals(score, dot, 1e-5 * Math.abs(score) + 1e-7);
    assertThrows(ReadOnlyBufferException.class, () -> kept.put(0, 1));
    try (Model neighbours = Rec.train(Fixture.orchard, TrainOptions.of("itemknn"))) {
      assertThrows(RecException.Unsupported.class, neighbours::itemVectors);
    }
  }
}
