package recore

import (
	"context"
	"log/slog"

	"recore/internal/crec"
)

// SetLogger sends the library's log lines, "event key=value ...", to a logger; nil drops them. The logger's level is read
// here, once. Lines arrive during long calls and FlushLog, on a thread that is inside the library: the handler must not
// call this package.
func SetLogger(logger *slog.Logger) error {
	if logger == nil {
		return failed(crec.LogOpen(crec.REC_LOG_ERROR, nil))
	}
	lowest := crec.REC_LOG_DEBUG
	for lowest < crec.REC_LOG_ERROR && !logger.Enabled(context.Background(), slogLevel(lowest)) {
		lowest++
	}
	return failed(crec.LogOpen(lowest, func(level int, message string) {
		logger.Log(context.Background(), slogLevel(level), message)
	}))
}

func slogLevel(level int) slog.Level {
	switch level {
	case crec.REC_LOG_DEBUG:
		return slog.LevelDebug
	case crec.REC_LOG_INFO:
		return slog.LevelInfo
	case crec.REC_LOG_WARNING:
		return slog.LevelWarn
	}
	return slog.LevelError
}

// FlushLog delivers the lines that are waiting, and counts those that were lost to a full queue.
func FlushLog() (dropped int64, err error) {
	dropped, err = crec.LogPoll()
	return dropped, failed(err)
}
