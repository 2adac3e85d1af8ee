package io.recore;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** What the tests share. */
final class Fixture {
  static final Path SOURCE = Path.of(System.getProperty("recore.test.source"));
  static final Path ORCHARD = SOURCE.resolve("samples/data/orchard.inter.gz");
  static final Dataset orchard = Dataset.load(ORCHARD).split(Split.ratio(0.8, 0.1, 0.1).seed(1));
  static final Model model = Rec.train(orchard, TrainOptions.of("bprmf").set("epochs", 5).set("batch_size", 512).set("lr", 0.005));

  private Fixture() {}

  /** Users and items 0 .. 9, where user u has the items of its own parity except u itself. */
  static Columns grid() {
    List<Long> users = new ArrayList<>();
    List<Long> items = new ArrayList<>();
    for (long u = 0; u < 10; ++u) {
      for (long i = 0; i < 10; ++i) {
        if (u % 2 == i % 2 && u != i) {
          users.add(u);
          items.add(i);
        }
      }
    }
    return Dataset.columns(numbers(users), numbers(items));
  }

  static Ids numbers(List<Long> ids) {
    return Ids.of(ids.stream().mapToLong(Long::longValue).toArray());
  }

  /** Two short epochs of BPR-MF. */
  static TrainOptions small() {
    return TrainOptions.of("bprmf").set("epochs", 2).set("emb_size", 8).set("batch_size", 512);
  }

  /** Longer than any test waits. */
  static TrainOptions endless() {
    return small().set("epochs", 1_000_000).set("patience", 0).set("eval_every", 1_000_000);
  }

  /** Rounds of a lifetime test: usually, or in the long run of make test-lifetimes. */
  static int rounds(int usual, int longer) {
    return "1".equals(System.getenv("REC_LONG_LIFETIMES")) ? longer : usual;
  }

  static long residentKib() throws IOException {
    return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).findFirst().orElseThrow();
  }

  record Run(int code, String output) {}

  /** Runs a separate JVM with these arguments, both outputs together. */
  static Run java(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(ProcessHandle.current().info().command().orElseThrow()));
    command.addAll(Arrays.asList(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(60, TimeUnit.SECONDS)) {
      process.destroyForcibly();
    }
    return new Run(process.waitFor(), output);
  }
}
