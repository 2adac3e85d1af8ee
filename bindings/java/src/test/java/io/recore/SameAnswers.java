package io.recore;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HexFormat;

/** Prints what a model recommends to each of its users: SameAnswers MODEL.rec K; user row, item row, the score's bits, item. */
final class SameAnswers {
  private SameAnswers() {}

  public static void main(String[] args) {
    int k = Integer.parseInt(args[1]);
    StringBuilder out = new StringBuilder();
    try (Model model = Model.load(Path.of(args[0])); Recommender recommender = model.recommender(new RecommenderOptions().excludeSeen())) {
      Recommendations answers = recommender.recommend(model.userIds(), k);
      for (int user = 0; user < answers.size(); ++user) {
        long[] rows = answers.rows(user);
        var items = answers.strings(user);
        for (int i = 0; i < rows.length; ++i) {
          String bits = HexFormat.of().toHexDigits(Float.floatToRawIntBits(items.get(i).score()));
          out.append(user).append(' ').append(rows[i]).append(' ').append(bits).append(' ').append(items.get(i).item()).append('\n');
        }
      }
    }
    System.out.writeBytes(out.toString().getBytes(StandardCharsets.UTF_8)); // whatever the locale
  }
}
