package io.recore;

import io.recore.internal.Raw;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A failed call: one subclass for each status that a caller may treat differently. An unknown status, of a later library,
 * is an {@link Internal} with its own {@link #code()}.
 */
@SuppressWarnings("serial")
public class RecException extends RuntimeException {
  /** Names of the library that this package spells otherwise. */
  private static final Map<String, String> SPELLINGS = Map.ofEntries(Map.entry("user_column", "user"),
      Map.entry("item_column", "item"), Map.entry("time_column", "time"), Map.entry("weight_column", "weight"),
      Map.entry("label_column", "label"), Map.entry("impression_key", "impressionKey"), Map.entry("user_id_type", "userIds"),
      Map.entry("item_id_type", "itemIds"), Map.entry("checkpoint_path", "checkpoint"), Map.entry("valid_path", "valid"),
      Map.entry("test_path", "test"), Map.entry("time_format", "timeFormat"), Map.entry("min_weight", "minWeight"),
      Map.entry("max_bad_rows", "skipBadRows"));
  // In a sentence; not a column or a file.
  private static final Pattern SPELT =
      Pattern.compile("(?<!['\\w/.-])(" + String.join("|", SPELLINGS.keySet()) + ")(?!['\\w/.-])");
  private static final Pattern CONSTANT = Pattern.compile("\\bREC_(ROWS|CANDIDATES|TIES)_([A-Z_]+)");

  private int code = Raw.REC_INTERNAL;
  private String message = "";
  private String argument = "";
  private String file = "";
  private long line = -1;
  private long byteOffset = -1;

  RecException() {}

  /** Sets the fields of a new exception, so that no subclass needs a constructor. */
  RecException saying(int code, String message, String argument) {
    this.code = code;
    this.message = message;
    this.argument = argument;
    return this;
  }

  @Override
  public String getMessage() {
    return message;
  }

  /** The status, one of the library's REC_ numbers. */
  public int code() {
    return code;
  }

  /** Its name, "INVALID_ARGUMENT"; "UNKNOWN" for a number that the library does not know. */
  public String status() {
    return Utf8.decode(Raw.rec_status_name(code));
  }

  /** Name of the argument, parameter or column at fault, or "". */
  public String argument() {
    return argument;
  }

  /** File at fault, or "". */
  public String file() {
    return file;
  }

  /** Line in that file, from 1, or -1. */
  public long line() {
    return line;
  }

  /** Byte offset in that file, or -1. */
  public long byteOffset() {
    return byteOffset;
  }

  /** Called by the bridge for a failed call. */
  static RecException make(int code, byte[] message, byte[] argument, byte[] file, long line, long byteOffset) {
    String name = Utf8.decode(argument);
    RecException exception = make(code, inWordsOfJava(Utf8.decode(message)), SPELLINGS.getOrDefault(name, name));
    exception.file = Utf8.decode(file);
    exception.line = line;
    exception.byteOffset = byteOffset;
    return exception;
  }

  /** A message of the library may name options and constants: user_column is user, REC_ROWS_EVENT is Rows.EVENT. */
  private static String inWordsOfJava(String message) {
    String said = SPELT.matcher(message).replaceAll(found -> SPELLINGS.get(found.group(1)));
    return CONSTANT.matcher(said).replaceAll(
        found -> found.group(1).charAt(0) + found.group(1).substring(1).toLowerCase(Locale.ROOT) + "." + found.group(2));
  }

  /** Called by the bridge for a closed object. */
  static RecException closed(Object object) {
    return new Closed().saying(Raw.REC_BAD_STATE, object.getClass().getSimpleName() + ": used after close()", "");
  }

  static RecException invalid(String argument, String text) {
    return new InvalidArgument().saying(Raw.REC_INVALID_ARGUMENT, argument + ": " + text, argument);
  }

  static RecException make(int code, String message, String argument) {
    RecException exception = switch (code) {
      case Raw.REC_INVALID_ARGUMENT -> new InvalidArgument();
      case Raw.REC_NOT_FOUND -> new NotFound();
      case Raw.REC_UNSUPPORTED -> new Unsupported();
      case Raw.REC_BAD_STATE -> new BadState();
      case Raw.REC_IO -> new Io();
      case Raw.REC_CORRUPT_DATA -> new CorruptData();
      case Raw.REC_INVALID_DATA -> new InvalidData();
      case Raw.REC_OUT_OF_MEMORY -> new OutOfMemory();
      case Raw.REC_LIMIT -> new Limit();
      case Raw.REC_NUMERIC -> new Numeric();
      case Raw.REC_DEVICE -> new Device();
      case Raw.REC_BUSY -> new Busy();
      case Raw.REC_DENIED -> new Denied();
      case Raw.REC_PLUGIN_FAILED -> new PluginFailed();
      case Raw.REC_ABI_MISMATCH -> new AbiMismatch();
      case Raw.REC_CANCELLED -> new Cancelled();
      default -> new Internal();
    };
    return exception.saying(code, message, argument);
  }

  /** An argument or parameter that is unknown, out of range, or does not fit the others. */
  public static final class InvalidArgument extends RecException {
    InvalidArgument() {}
  }

  /** A file, model name, plugin or id that does not exist. */
  public static class NotFound extends RecException {
    NotFound() {}
  }

  /** A user or item that the model does not know, where the caller asked to be strict. */
  public static final class UnknownId extends NotFound {
    UnknownId() {}
  }

  /** Understood, but not offered: by this model, this build or this file version. */
  public static final class Unsupported extends RecException {
    Unsupported() {}
  }

  /** Calls in the wrong order. */
  public static class BadState extends RecException {
    BadState() {}
  }

  /** Use after close(). */
  public static final class Closed extends BadState {
    Closed() {}
  }

  /** The operating system failed to read or write. */
  public static final class Io extends RecException {
    Io() {}
  }

  /** A damaged model file or checkpoint. */
  public static final class CorruptData extends RecException {
    CorruptData() {}
  }

  /** A bad row or cell of the data, with file and line where they are known. */
  public static final class InvalidData extends RecException {
    InvalidData() {}
  }

  /** The library could not get memory. */
  public static final class OutOfMemory extends RecException {
    OutOfMemory() {}
  }

  /** A stated limit, such as a memory limit, would be exceeded. */
  public static final class Limit extends RecException {
    Limit() {}
  }

  /** NaN or infinity where a finite number is needed. */
  public static final class Numeric extends RecException {
    Numeric() {}
  }

  /** No such device, or it failed. */
  public static final class Device extends RecException {
    Device() {}
  }

  /** Another call on the same object is running. */
  public static final class Busy extends RecException {
    Busy() {}
  }

  /** Refused for safety, or by the operating system's permissions. */
  public static final class Denied extends RecException {
    Denied() {}
  }

  /** A plugin broke its contract or reported a failure. */
  public static class PluginFailed extends RecException {
    PluginFailed() {}
  }

  /** A plugin for another ABI or architecture. */
  public static final class AbiMismatch extends PluginFailed {
    AbiMismatch() {}
  }

  /** The cause of the CancellationException of a call that was stopped. */
  public static final class Cancelled extends RecException {
    Cancelled() {}
  }

  /** A defect of the library, or a status that this class does not know. */
  public static final class Internal extends RecException {
    Internal() {}
  }
}
