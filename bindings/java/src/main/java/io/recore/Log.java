package io.recore;

import io.recore.internal.Raw;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;

/** Log lines of the library go to System.getLogger("io.recore"). */
final class Log {
  private static final Logger LOGGER = System.getLogger("io.recore");
  private static final Level[] LEVELS = {Level.TRACE, Level.DEBUG, Level.INFO, Level.WARNING, Level.ERROR}; // by REC_LOG_
  private static int wanted;

  private Log() {}

  /** Called by the bridge, on the thread that is inside the library. */
  static void handle(int level, byte[] message) {
    LOGGER.log(LEVELS[Math.min(Math.max(level, 0), Raw.REC_LOG_ERROR)], Utf8.decode(message));
  }

  /** Sets the library's level to the logger's. Long calls begin with it, so a level may be set at any time. */
  static synchronized void followLevel() {
    int level = Raw.REC_LOG_DEBUG;
    while (level < Raw.REC_LOG_ERROR && !LOGGER.isLoggable(LEVELS[level])) {
      ++level;
    }
    if (level != wanted) {
      Raw.rec_java_log_open(level);
      wanted = level;
    }
  }
}
