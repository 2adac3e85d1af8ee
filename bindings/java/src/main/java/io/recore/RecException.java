package io.recore;

import io.recore.internal.Raw;

/**
 * A failed call: one subclass for each status that a caller may treat differently. A status of a later library that this
 * one does not know is an {@link Internal} with its own {@link #code()}.
 */
@SuppressWarnings("serial")
public class RecException extends RuntimeException {
  private final int code;
  private final String argument;
  private final String file;
  private final long line;
  private final long byteOffset;

  RecException(int code, String message, String argument, String file, long line, long byteOffset) {
    super(message);
    this.code = code;
    this.argument = argument;
    this.file = file;
    this.line = line;
    this.byteOffset = byteOffset;
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
    return make(code, Utf8.decode(message), Utf8.decode(argument), Utf8.decode(file), line, byteOffset);
  }

  /** Called by the bridge for a closed object. */
  static RecException closed(Object object) {
    return new Closed(Raw.REC_BAD_STATE, object.getClass().getSimpleName() + ": used after close()", "", "", -1, -1);
  }

  static RecException invalid(String argument, String text) {
    return new InvalidArgument(Raw.REC_INVALID_ARGUMENT, argument + ": " + text, argument, "", -1, -1);
  }

  static RecException make(int code, String message, String argument, String file, long line, long byteOffset) {
    return switch (code) {
      case Raw.REC_INVALID_ARGUMENT -> new InvalidArgument(code, message, argument, file, line, byteOffset);
      case Raw.REC_NOT_FOUND -> new NotFound(code, message, argument, file, line, byteOffset);
      case Raw.REC_UNSUPPORTED -> new Unsupported(code, message, argument, file, line, byteOffset);
      case Raw.REC_BAD_STATE -> new BadState(code, message, argument, file, line, byteOffset);
      case Raw.REC_IO -> new Io(code, message, argument, file, line, byteOffset);
      case Raw.REC_CORRUPT_DATA -> new CorruptData(code, message, argument, file, line, byteOffset);
      case Raw.REC_INVALID_DATA -> new InvalidData(code, message, argument, file, line, byteOffset);
      case Raw.REC_OUT_OF_MEMORY -> new OutOfMemory(code, message, argument, file, line, byteOffset);
      case Raw.REC_LIMIT -> new Limit(code, message, argument, file, line, byteOffset);
      case Raw.REC_NUMERIC -> new Numeric(code, message, argument, file, line, byteOffset);
      case Raw.REC_DEVICE -> new Device(code, message, argument, file, line, byteOffset);
      case Raw.REC_BUSY -> new Busy(code, message, argument, file, line, byteOffset);
      case Raw.REC_DENIED -> new Denied(code, message, argument, file, line, byteOffset);
      case Raw.REC_PLUGIN_FAILED -> new PluginFailed(code, message, argument, file, line, byteOffset);
      case Raw.REC_ABI_MISMATCH -> new AbiMismatch(code, message, argument, file, line, byteOffset);
      case Raw.REC_CANCELLED -> new Cancelled(code, message, argument, file, line, byteOffset);
      default -> new Internal(code, message, argument, file, line, byteOffset);
    };
  }

  /** An argument or parameter that is unknown, out of range, or does not fit the others. */
  public static final class InvalidArgument extends RecException {
    InvalidArgument(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A file, model name, plugin or id that is not there. */
  public static class NotFound extends RecException {
    NotFound(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A user or item that the model does not know, where the caller asked to be strict. */
  public static final class UnknownId extends NotFound {
    UnknownId(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** Understood, but not offered: by this model, this build or this file version. */
  public static final class Unsupported extends RecException {
    Unsupported(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A wrong order of calls. */
  public static class BadState extends RecException {
    BadState(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** Use after close(). */
  public static final class Closed extends BadState {
    Closed(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** The operating system failed to read or write. */
  public static final class Io extends RecException {
    Io(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A model file or checkpoint that is damaged. */
  public static final class CorruptData extends RecException {
    CorruptData(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A row or cell of the data, with file and line where they are known. */
  public static final class InvalidData extends RecException {
    InvalidData(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** The library could not get memory. */
  public static final class OutOfMemory extends RecException {
    OutOfMemory(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A stated limit would be passed, a memory limit for one. */
  public static final class Limit extends RecException {
    Limit(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** NaN or infinity where a number must be. */
  public static final class Numeric extends RecException {
    Numeric(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** No such device, or it failed. */
  public static final class Device extends RecException {
    Device(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** Another call on the same object is running. */
  public static final class Busy extends RecException {
    Busy(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** Refused for safety, or by the operating system's permissions. */
  public static final class Denied extends RecException {
    Denied(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A plugin broke its contract or reported a failure. */
  public static class PluginFailed extends RecException {
    PluginFailed(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A plugin of another ABI or architecture. */
  public static final class AbiMismatch extends PluginFailed {
    AbiMismatch(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** The cause of the CancellationException of a call that was stopped. */
  public static final class Cancelled extends RecException {
    Cancelled(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }

  /** A defect of the library, or a status that this class does not know. */
  public static final class Internal extends RecException {
    Internal(int code, String message, String argument, String file, long line, long byteOffset) {
      super(code, message, argument, file, line, byteOffset);
    }
  }
}
