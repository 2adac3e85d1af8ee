package io.recore;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.recore.internal.RawConstants;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class DataTest {
  @TempDir Path folder;

  @Test
  void aFileIsLoadedAndDescribed() {
    Map<String, Object> facts = Fixture.orchard.describe();
    assertEquals(List.of(600L, 400L, 25000L, "bytes"),
        List.of(facts.get("n_users"), facts.get("n_items"), facts.get("n_interactions"), facts.get("user_id_type")));
    assertEquals(25000L, (long) facts.get("n_train") + (long) facts.get("n_valid") + (long) facts.get("n_test"));
    assertTrue((long) facts.get("n_test") > 0);
  }

  @Test
  void everyOptionOfTheReaderReachesTheLibrary() throws Exception {
    Path file = folder.resolve("ratings ü😀.csv");
    Files.writeString(file, "who;what;when;stars;clicked;page\n1;7;10;5;1;1\n1;8;11;1;0;1\n2;7;12;4;1;1\nx\n");
    DatasetReader reader = Dataset.csv(file).user("who").item("what").time("when").weight("stars").label("clicked")
        .impressionKey("page").separator(";").userIds(IdType.BYTES).itemIds(IdType.INT64).skipBadRows(5).memoryLimit(1 << 30);
    Map<String, Object> facts = reader.load().describe();
    assertEquals(List.of(3L, "bytes", "int64", 2L),
        List.of(facts.get("n_interactions"), facts.get("user_id_type"), facts.get("item_id_type"), facts.get("n_impressions")));
    assertEquals(Map.of("n_positive", 2L, "n_negative", 1L), facts.get("label"));
    assertEquals(Map.of("first", 10L, "last", 12L), facts.get("time"));
    assertEquals(2L, reader.minWeight(4).load().describe().get("n_interactions"));
    assertThrows(RecException.Limit.class, () -> reader.memoryLimit(16).load());
  }

  @Test
  void columnsCarryTimesPartsTitlesAndLabels() {
    Dataset dataset = Dataset.columns(Ids.of(1, 1, 1, 2), Ids.of("a", "b", "c", "a")).times(5, 6, 7, 8).weights(1, 2, 3, 4)
        .parts(Part.TRAIN, Part.VALID, Part.TEST, Part.TRAIN).titles(Map.of("a", "Zwölf 😀", "none", "never seen")).build();
    Map<String, Object> facts = dataset.describe();
    assertEquals(List.of(2L, 1L, 1L), List.of(facts.get("n_train"), facts.get("n_valid"), facts.get("n_test")));
    assertEquals(Map.of("first", 5L, "last", 8L), facts.get("time"));
    Model model = Rec.train(dataset, TrainOptions.of("popularity"));
    assertEquals(List.of("Zwölf 😀", "", ""), model.titles(Ids.of("a", "b", "unknown")).toStrings());
    facts = Dataset.columns(Ids.of(1, 1, 1), Ids.of(1, 2, 3)).labels(1, 0, 0).impressions(4, 4, 5).build().describe();
    assertEquals(List.of(Map.of("n_positive", 1L, "n_negative", 2L), 2L), List.of(facts.get("label"), facts.get("n_impressions")));
  }

  @Test
  void everySplitKeepsEveryInteraction() {
    for (Split.Kind kind : Split.Kind.values()) {
      Map<String, Object> facts = Fixture.orchard.split(Split.by(kind).seed(3)).describe();
      assertEquals(25000L, (long) facts.get("n_train") + (long) facts.get("n_valid") + (long) facts.get("n_test"), kind.name());
      assertTrue((long) facts.get("n_test") > 0, kind.name());
    }
  }

  @Test
  void aSplitIsSavedAndReadBack() {
    Fixture.orchard.save(folder.resolve("benchmark"));
    assertEquals(Fixture.orchard.describe().get("n_test"), Dataset.load(folder.resolve("benchmark")).describe().get("n_test"));
  }

  record Bad(String name, Executable call, Class<? extends RecException> error, String argument) {}

  @TestFactory
  Stream<DynamicTest> badDataNamesItsArgument() {
    Ids one = Ids.of(1);
    Ids two = Ids.of(1, 2);
    return Stream.of(
        new Bad("lengths", () -> Dataset.columns(two, one).build(), RecException.InvalidArgument.class, "items"),
        new Bad("times too short", () -> Dataset.columns(two, two).times(3).build(), RecException.InvalidArgument.class, "times"),
        new Bad("nan weight", () -> Dataset.columns(one, one).weights(Float.NaN).build(), RecException.InvalidData.class, "weights"),
        new Bad("label 2", () -> Dataset.columns(one, one).labels(2).build(), RecException.InvalidData.class, "labels"),
        new Bad("nothing", () -> Dataset.columns(Ids.of(new long[0]), Ids.of(new long[0])).build(), RecException.InvalidData.class, "users"),
        new Bad("rows as ids", () -> Dataset.columns(Ids.rows(1), one).build(), RecException.InvalidArgument.class, null),
        new Bad("no such format", () -> Dataset.read(Fixture.ORCHARD).format("excel").load(), RecException.InvalidArgument.class, "format"),
        new Bad("no such column", () -> Dataset.read(Fixture.ORCHARD).user("nobody").load(), RecException.class, null),
        new Bad("no such file", () -> Dataset.load(Path.of("/nowhere/x.csv")), RecException.NotFound.class, null),
        new Bad("NUL in a name", () -> Dataset.read(Fixture.ORCHARD).user("a\0b"), RecException.InvalidArgument.class, "user"),
        new Bad("shares", () -> Fixture.orchard.split(Split.ratio(0.5, 0.1, 0.1)), RecException.InvalidArgument.class, null),
        new Bad("half a surrogate pair", () -> Ids.of("a\ud800"), RecException.InvalidArgument.class, "ids"))
        .map(row -> DynamicTest.dynamicTest(row.name(), () -> {
          RecException error = assertThrows(row.error(), row.call());
          if (row.argument() != null) {
            assertEquals(row.argument(), error.argument());
          }
        }));
  }

  @Test
  void aBadRowHasItsFileAndLine() throws Exception {
    Path file = folder.resolve("bäd😀.inter");
    Files.writeString(file, "user_id:token\titem_id:token\ttimestamp:float\na\tx\t1\nb\ty\tsoon\n");
    var error = assertThrows(RecException.InvalidData.class, () -> Dataset.load(file));
    assertEquals(file.toString(), error.file());
    assertEquals(3, error.line());
    assertEquals("INVALID_DATA", error.status());
    assertTrue(error.getMessage().contains("soon"), error.getMessage());
  }

  static final List<byte[]> HOSTILE = Stream.concat(
      Stream.of("", "a\0b", "a\0c", "\0", "user😀", "é", "e\u0301", "\u202eabc", " x ", "\n", "x".repeat(65536), "'\"\\", "\udbff\udfff")
          .map(text -> text.getBytes(StandardCharsets.UTF_8)),
      Stream.of(new byte[] {-1, -2}, new byte[] {-128}, new byte[] {(byte) 0xE2, (byte) 0x82}, new byte[] {'a', (byte) 0xC3}, every())).toList();

  private static byte[] every() {
    byte[] bytes = new byte[256];
    for (int i = 0; i < 256; ++i) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  private static List<String> hex(List<byte[]> ids) {
    return ids.stream().map(id -> HexFormat.of().formatHex(id)).toList();
  }

  @Test
  void messagesUseTheWordsOfJava() throws Exception {
    Path path = Files.writeString(folder.resolve("words.csv"), "who,what\n1,2\n");
    var column = assertThrows(RecException.class, () -> Dataset.csv(path).user("nobody").item("what").load());
    assertEquals("user", column.argument());
    assertTrue(column.getMessage().contains("user: ") && !column.getMessage().contains("_column"), column.getMessage());
    var header = assertThrows(RecException.class, () -> Dataset.csv(path).item("what").load());
    assertTrue(header.getMessage().contains("name it with user, or say"), header.getMessage());
    var rows = assertThrows(RecException.class, () -> Fixture.model.evaluate(Fixture.orchard, "auc"));
    assertTrue(rows.getMessage().contains("Rows.LABEL") && !rows.getMessage().contains("REC_"), rows.getMessage());
  }

  @Test
  void hostileIdsRoundTripAsBytesAndAsStrings() {
    int n = HOSTILE.size();
    Path file = folder.resolve("hostile.rec");
    Ids ids = Ids.ofBytes(HOSTILE);
    Ids texts = Ids.ofStrings(ids.toStrings());
    assertEquals(hex(HOSTILE), hex(texts.toBytes()));
    assertEquals(n, texts.toStrings().stream().distinct().count());
    for (Ids given : List.of(ids, texts)) {
      Rec.train(Dataset.columns(given, given).build(), TrainOptions.of("popularity")).save(file);
      try (Model model = Model.load(file); Recommender recommender = model.recommender()) {
        assertEquals(hex(HOSTILE), hex(model.userIds().toBytes()));
        assertArrayEquals(rowsUpTo(n), model.userRows(texts));
        assertArrayEquals(rowsUpTo(n), model.itemRows(ids));
        Recommendations answers = recommender.recommend(given, n);
        for (int i = 0; i < n; ++i) {
          List<byte[]> items = answers.bytes(i).stream().map(Scored::item).toList();
          assertEquals(hex(HOSTILE).stream().sorted().toList(), hex(items).stream().sorted().toList());
        }
        String last = given.string(n - 1);
        assertEquals(n, recommender.recommend(last, n).size());
      }
    }
  }

  private static long[] rowsUpTo(int n) {
    return LongStream.range(0, n).toArray();
  }

  @Test
  void idsOverDirectBuffersAreNotCopied() {
    LongBuffer numbers = ByteBuffer.allocateDirect(32).order(ByteOrder.nativeOrder()).asLongBuffer().put(new long[] {9, -5, Long.MIN_VALUE, 7});
    Ids ids = Ids.of(numbers.position(1).limit(3));
    assertArrayEquals(new long[] {-5, Long.MIN_VALUE}, ids.toLongs());
    numbers.put(1, 6);
    Model model = Rec.train(Dataset.columns(ids, ids).build(), TrainOptions.of("popularity"));
    assertArrayEquals(new long[] {6, Long.MIN_VALUE}, model.itemIds().toLongs());

    ByteBuffer bytes = ByteBuffer.allocateDirect(5).put("abécd".substring(0, 4).getBytes(StandardCharsets.UTF_8)).flip();
    LongBuffer offsets = ByteBuffer.allocateDirect(24).order(ByteOrder.nativeOrder()).asLongBuffer().put(new long[] {0, 1, 4});
    Ids packed = Ids.packed(bytes, offsets.flip());
    assertEquals(List.of("a", "bé"), packed.toStrings());
    assertEquals(packed.toStrings(), Rec.train(Dataset.columns(packed, packed).build(), TrainOptions.of("popularity")).userIds().toStrings());
    offsets.put(2, 6);
    assertThrows(RecException.InvalidArgument.class, () -> Dataset.columns(packed, packed).build());
    assertThrows(RecException.InvalidArgument.class, () -> Ids.of(LongBuffer.allocate(3)));
  }

  @Test
  void anArrowStreamByAddressIsReadAndReleasedOnce() {
    long[] users = {7, -1, 7};
    long[] items = {1, 2, Long.MAX_VALUE};
    int before = ArrowFixture.released();
    Dataset dataset = Dataset.arrow(ArrowFixture.open(users, items)).load();
    assertEquals(before + 1, ArrowFixture.released());
    Model model = Rec.train(dataset, TrainOptions.of("popularity"));
    assertArrayEquals(new long[] {7, -1}, model.userIds().toLongs());
    assertArrayEquals(items, model.itemIds().toLongs());
    assertThrows(RecException.class, () -> Dataset.arrow(ArrowFixture.open(users, items)).user("nobody").load());
    assertEquals(before + 2, ArrowFixture.released());
    CancelToken cancelled = new CancelToken();
    cancelled.cancel();
    assertThrows(java.util.concurrent.CancellationException.class,
        () -> Dataset.arrow(ArrowFixture.open(users, items)).cancel(cancelled).load());
    assertEquals(before + 3, ArrowFixture.released());
    assertThrows(RecException.InvalidArgument.class, () -> Dataset.arrow(0).load());
  }

  @Test
  void theRowsComeBackAsAnArrowStream() {
    long[] users = {7, -1, 7};
    long[] items = {1, 2, Long.MAX_VALUE};
    long address = ArrowFixture.open(users, items);
    Dataset dataset = Dataset.arrow(address).load();
    dataset.exportArrow(address); // its struct is free again
    dataset.close();
    Dataset again = Dataset.arrow(address).load();
    assertEquals(List.of(2L, 3L, 3L), List.of(again.nUsers(), again.nItems(), again.nInteractions()));
    assertArrayEquals(items, Rec.train(again, TrainOptions.of("popularity")).itemIds().toLongs());
    assertThrows(RecException.InvalidArgument.class, () -> again.exportArrow(0));
  }

  @Test
  void idsNeedNoRows() {
    Dataset dataset = Dataset.columns(Ids.of(1, 2), Ids.of("a", "b")).moreUsers(Ids.of(2, 3)).moreItems(Ids.of("c", "a")).build();
    assertEquals(List.of(3L, 3L, 2L), List.of(dataset.nUsers(), dataset.nItems(), dataset.nInteractions()));
    assertArrayEquals(new long[] {1, 2, 3}, dataset.userIds().toLongs());
    assertEquals(List.of("a", "b", "c"), dataset.itemIds().toStrings());
    Columns mixed = Dataset.columns(Ids.of(1), Ids.of("a")).moreItems(Ids.of(5));
    assertThrows(RecException.InvalidArgument.class, mixed::build);
  }

  @Test
  void listsAreMeasuredWithoutAModel() {
    List<Ids> ranked = List.of(Ids.of(5, 1, 2), Ids.of("x"));
    assertThrows(RecException.InvalidArgument.class, () -> Report.ofLists(ranked, ranked, "recall@2"));
    List<Ids> lists = List.of(Ids.of(5, 1, 2), Ids.of(new long[0]));
    List<Ids> truth = List.of(Ids.of(1, 2), Ids.of(7));
    Report report = Report.ofLists(lists, truth, "recall@2,rbp@2[0.5]");
    assertArrayEquals(new double[] {0.5, 0}, report.values("recall@2"));
    assertArrayEquals(new double[] {0.25, 0}, report.values("rbp@2"));
    assertArrayEquals(new long[] {0, 1}, report.users().toLongs());
    Report graded = Report.ofLists(lists, truth, List.of(new float[] {1, 3}, new float[] {1}), "ndcg@3");
    double ideal = 3 + 1 / (Math.log(3) / Math.log(2));
    assertEquals((1 / (Math.log(3) / Math.log(2)) + 1.5) / ideal, graded.values("ndcg@3")[0], 1e-12);
    assertThrows(RecException.InvalidArgument.class, () -> Report.ofLists(lists, truth, List.of(new float[] {1, 3}), "ndcg@3"));
    assertThrows(RecException.InvalidArgument.class, () -> Report.ofLists(lists, truth, "auc"));
  }

  @Test
  void everyStatusHasItsException() {
    for (int code = 1; code <= RawConstants.REC_INTERNAL; ++code) {
      RecException error = RecException.make(code, "text", "");
      assertEquals(code, error.code());
      String name = error.getClass().getSimpleName().replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase();
      assertEquals(error.status(), name);
    }
    RecException later = RecException.make(999, "of a later library", "");
    assertInstanceOf(RecException.Internal.class, later);
    assertEquals("UNKNOWN", later.status());
    assertEquals(999, later.code());
  }

  /** Enums of Java by the prefix of their constants in the header. */
  static final Map<String, Class<? extends Enum<?>>> ENUMS = Map.of("REC_PART_", Part.class, "REC_SPLIT_", Split.Kind.class,
      "REC_ROWS_", Protocol.Rows.class, "REC_CANDIDATES_", Protocol.Candidates.class, "REC_MASK_", Protocol.Mask.class,
      "REC_TIES_", Protocol.Ties.class, "REC_HISTORY_", Protocol.History.class, "REC_EVENT_", Event.Kind.class);

  @Test
  void enumsHaveEveryConstantOfTheHeader() throws Exception { // except the tick, which only the bridge sees
    for (var entry : ENUMS.entrySet()) {
      int n = 0;
      for (var field : RawConstants.class.getFields()) {
        if (field.getName().startsWith(entry.getKey()) && !field.getName().equals("REC_EVENT_TICK")) {
          String name = field.getName().substring(entry.getKey().length());
          Object constant = Arrays.stream(entry.getValue().getEnumConstants()).filter(e -> e.name().equals(name)).findFirst().orElseThrow();
          var number = entry.getValue().getDeclaredField("number");
          assertEquals(field.getInt(null), number.getInt(constant), field.getName());
          ++n;
        }
      }
      assertTrue(n >= 2, entry.getKey());
    }
  }
}
