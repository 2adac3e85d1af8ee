package io.recore.internal;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Finds and loads the library: from the folder {@code recore.library.path} when that property is set, else from the jar,
 * whose natives are copied once into a private folder under {@code recore.cache.path} (default: the user's cache folder),
 * named by their hash and checked by hash at every start.
 */
final class Natives {
  private static final String LIBRARY = "librecore_java.so";
  private static final String LIST = "files.sha256"; // "HASH  path" for each file beside it

  private Natives() {}

  static void load() {
    try {
      String folder = System.getProperty("recore.library.path");
      loadFrom(folder != null ? Path.of(folder).toAbsolutePath() : extract());
    } catch (IOException | UncheckedIOException e) {
      throw failure("cannot unpack the library: " + e + "; set recore.cache.path to a folder of yours that may hold programs", e);
    }
    if (Raw.rec_api_version() / 1000 != Raw.REC_API_VERSION_MAJOR) {
      throw failure("the library has API version " + Raw.rec_api_version() / 1000 + ", the jar needs "
          + Raw.REC_API_VERSION_MAJOR, null);
    }
  }

  private static void loadFrom(Path folder) throws IOException {
    Path library = folder.resolve(LIBRARY);
    if (!Files.isRegularFile(library)) {
      throw failure(library + " is not there; recore.library.path must name the folder of " + LIBRARY, null);
    }
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      if (String.valueOf(e.getMessage()).contains("already loaded in another classloader")) {
        loadCopy(library);
      } else {
        throw failure(library + " does not load: " + e.getMessage() + hint(), e);
      }
    }
  }

  /**
   * The JVM lets only one class loader load a file, so each loads a copy; librecore itself is shared. Log lines go to the
   * loader that last asked for them; a class loader that has the library is never collected.
   */
  private static void loadCopy(Path library) throws IOException {
    Path copy = library.resolveSibling("recore_java-" + UUID.randomUUID() + ".so");
    try {
      Files.copy(library, copy);
      System.load(copy.toString());
    } finally {
      Files.deleteIfExists(copy);
    }
  }

  private static String hint() {
    return isMusl() ? " (this system has musl; the library needs glibc)" : "";
  }

  private static boolean isMusl() {
    try (var files = Files.newDirectoryStream(Path.of("/lib"), "ld-musl-*")) {
      return files.iterator().hasNext();
    } catch (IOException e) {
      return false;
    }
  }

  private static UnsatisfiedLinkError failure(String text, Throwable cause) {
    var error = new UnsatisfiedLinkError("recore: " + text);
    error.initCause(cause);
    return error;
  }

  // ---- natives in the jar

  private static Path extract() throws IOException {
    String platform = platform();
    String root = "/lib/" + platform + "/";
    byte[] list;
    try (InputStream in = Natives.class.getResourceAsStream(root + LIST)) {
      if (in == null) {
        throw failure("the jar has no natives for " + platform + hint()
            + ", and the property recore.library.path does not name a folder with " + LIBRARY, null);
      }
      list = in.readAllBytes();
    }
    Path folder = privateFolder(privateFolder(cache()).resolve(hash(list)));
    for (var file : parse(list).entrySet()) {
      extract(root + file.getKey(), folder.resolve(file.getKey()), file.getValue());
    }
    return folder;
  }

  private static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT).replaceAll("[^a-z].*", "");
    String arch = System.getProperty("os.arch");
    return os + "/" + (arch.equals("amd64") ? "x86_64" : arch);
  }

  private static Path cache() {
    String given = System.getProperty("recore.cache.path");
    if (given != null) {
      return Path.of(given).toAbsolutePath();
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    Path caches = xdg != null && xdg.startsWith("/") ? Path.of(xdg) : Path.of(System.getProperty("user.home"), ".cache");
    return caches.resolve("recore-java");
  }

  /** A folder owned by this user and writable by nobody else: otherwise another user could place code there. */
  private static Path privateFolder(Path folder) throws IOException {
    if (!Files.isDirectory(folder)) {
      Files.createDirectories(folder.getParent());
      try {
        Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      } catch (FileAlreadyExistsException e) {
        // just created by another process
      }
    }
    var attributes = Files.readAttributes(folder, PosixFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    String permissions = PosixFilePermissions.toString(attributes.permissions());
    if (!attributes.isDirectory() || !permissions.endsWith("------") || !isMine(folder)) {
      throw failure(folder + " must be a folder of this user with mode 0700, it has " + permissions + " of "
          + attributes.owner() + "; set recore.cache.path to another", null);
    }
    return folder;
  }

  /** Whether this user owns the folder: a file created now has the same owner. */
  private static boolean isMine(Path folder) throws IOException {
    Path probe = Files.createTempFile("recore", null);
    try {
      return Files.getOwner(probe).equals(Files.getOwner(folder));
    } finally {
      Files.delete(probe);
    }
  }

  private static void extract(String resource, Path target, String wanted) throws IOException {
    if (Files.isRegularFile(target, LinkOption.NOFOLLOW_LINKS) && hash(Files.readAllBytes(target)).equals(wanted)) {
      return;
    }
    Files.createDirectories(target.getParent());
    Path temporary = target.resolveSibling("." + UUID.randomUUID());
    try (InputStream in = Natives.class.getResourceAsStream(resource)) {
      if (in == null) {
        throw failure("the jar lacks " + resource, null);
      }
      Files.copy(in, temporary);
      if (!hash(Files.readAllBytes(temporary)).equals(wanted)) {
        throw failure("the jar's " + resource + " is damaged", null);
      }
      Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwx------"));
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  private static Map<String, String> parse(byte[] list) {
    Map<String, String> files = new LinkedHashMap<>();
    for (String line : new String(list, StandardCharsets.UTF_8).split("\n")) {
      files.put(line.substring(66), line.substring(0, 64));
    }
    return files;
  }

  private static String hash(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
