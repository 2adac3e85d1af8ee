package io.recore;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How the library is found; each case runs in its own JVM. */
class NativesTest {
  static final String JAR = System.getProperty("recore.test.jar");

  @TempDir Path folder;

  private Fixture.Run plugins(String... properties) throws Exception {
    Path program = Files.writeString(folder.resolve("Show.java"), """
        public class Show {
          public static void main(String[] args) {
            try {
              System.out.println(io.recore.Rec.describePlugin("bprmf").get("name"));
            } catch (UnsatisfiedLinkError e) {
              System.out.println(e.getMessage());
              System.exit(3);
            }
          }
        }
        """);
    return Fixture.java(Stream.of(Stream.of(properties), Stream.of("-cp", JAR, program.toString())).flatMap(s -> s).toArray(String[]::new));
  }

  private List<Path> files(Path cache) throws Exception {
    try (var all = Files.walk(cache)) {
      return all.filter(Files::isRegularFile).sorted().toList();
    }
  }

  @Test
  void theJarAloneUnpacksItsNativesPrivatelyAndMendsThem() throws Exception {
    Path cache = folder.resolve("cäche 😀");
    String property = "-Drecore.cache.path=" + cache;
    assertEquals(new Fixture.Run(0, "bprmf\n"), plugins(property));
    assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(cache)));
    List<Path> files = files(cache);
    assertTrue(files.stream().anyMatch(file -> file.endsWith("recore/plugins/librecore_bprmf.so")), files.toString());
    for (Path file : files) {
      assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(file)), file.toString());
    }
    byte[] whole = Files.readAllBytes(files.get(0));
    Files.write(files.get(0), new byte[] {1, 2, 3});
    assertEquals(new Fixture.Run(0, "bprmf\n"), plugins(property));
    assertEquals(whole.length, Files.size(files.get(0)));
    assertEquals(files, files(cache));
  }

  @Test
  void aModelOverLibTorchThatTheJarLacksSaysWhatIsMissing() throws Exception {
    Path program = Files.writeString(folder.resolve("Train.java"), """
        import io.recore.*;
        public class Train {
          public static void main(String[] args) {
            Dataset data = Dataset.columns(Ids.of(1, 1, 2), Ids.of(5, 6, 5)).build();
            for (String model : new String[] {"two_tower", "ans", "autocf", "fism"}) {
              try {
                Rec.train(data, TrainOptions.of(model));
              } catch (RecException.NotFound e) {
                System.out.println(e.getMessage());
              }
            }
          }
        }
        """);
    Fixture.Run run = Fixture.java("-Drecore.cache.path=" + folder.resolve("cache"), "-cp", JAR, program.toString());
    String[] said = run.output().split("\n");
    assertEquals(4, said.length, run.output());
    for (String text : said) {
      assertTrue(text.startsWith("model: there is no '") && text.contains("librecore_") && text.contains("REC_PLUGIN_PATH"), text);
      assertEquals(!text.contains("fism"), text.contains("needs LibTorch") && text.contains("-DREC_WITH_TORCH=ON"), text);
    }
  }

  @Test
  void aCacheThatOthersMayWriteIsRefused() throws Exception {
    Path cache = Files.createDirectory(folder.resolve("open"));
    Files.setPosixFilePermissions(cache, PosixFilePermissions.fromString("rwxrwxrwx"));
    Fixture.Run run = plugins("-Drecore.cache.path=" + cache);
    assertEquals(3, run.code(), run.output());
    assertTrue(run.output().contains("mode 0700"), run.output());
  }

  @Test
  void whatIsMissingIsNamed() throws Exception {
    Fixture.Run run = plugins("-Drecore.library.path=" + folder);
    assertEquals(3, run.code(), run.output());
    assertTrue(run.output().contains(folder.resolve("librecore_java.so") + " is not there"), run.output());
    run = plugins("-Dos.arch=riscv64");
    assertTrue(run.output().contains("linux/riscv64") && run.output().contains("recore.library.path"), run.output());
    Files.copy(Path.of(System.getProperty("recore.library.path"), "librecore_java.so"), folder.resolve("librecore_java.so"));
    run = plugins("-Drecore.library.path=" + folder);
    assertEquals(3, run.code(), run.output());
    assertTrue(run.output().contains("librecore.so.1"), run.output());
  }

  @Test
  void aSecondClassLoaderHasTheLibraryToo() throws Exception {
    assertEquals("1", Rec.version().substring(0, 1)); // in this one
    try (URLClassLoader other = new URLClassLoader(new URL[] {Path.of(JAR).toUri().toURL()}, ClassLoader.getPlatformClassLoader())) {
      Class<?> rec = other.loadClass("io.recore.Rec");
      assertNotEquals(Rec.class, rec);
      assertEquals(Rec.version(), rec.getMethod("version").invoke(null));
      assertEquals(Rec.plugins().size(), ((List<?>) rec.getMethod("plugins").invoke(null)).size());
    }
  }

  @Test
  void theJarNamesItsModule() throws Exception {
    try (JarFile jar = new JarFile(JAR)) {
      assertEquals("io.recore", jar.getManifest().getMainAttributes().getValue("Automatic-Module-Name"));
    }
  }

  @Test
  void theSampleRuns() throws Exception {
    Fixture.Run run = Fixture.java("-Drecore.library.path=" + System.getProperty("recore.library.path"), "-cp", JAR,
        Fixture.SOURCE.resolve("samples/java/Quickstart.java").toString(), Fixture.ORCHARD.toString(), folder.resolve("q.rec").toString());
    assertEquals(0, run.code(), run.output());
    assertTrue(run.output().contains("ndcg@20=") && run.output().contains("film-"), run.output());
  }
}
