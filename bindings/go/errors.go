package recore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"

	"recore/internal/crec"
)

// Code says what kind of failure an [Error] is. Treat an unknown one as CodeInternal.
type Code int32

// The codes of the library.
const (
	CodeInvalidArgument Code = Code(crec.REC_INVALID_ARGUMENT) // an argument or parameter; Error.Argument names it
	CodeNotFound        Code = Code(crec.REC_NOT_FOUND)        // a file, model name, plugin or id that does not exist
	CodeUnsupported     Code = Code(crec.REC_UNSUPPORTED)      // understood, but not offered
	CodeBadState        Code = Code(crec.REC_BAD_STATE)        // calls in the wrong order, a closed object
	CodeIO              Code = Code(crec.REC_IO)
	CodeCorruptData     Code = Code(crec.REC_CORRUPT_DATA) // a damaged model file or checkpoint
	CodeInvalidData     Code = Code(crec.REC_INVALID_DATA) // a bad row of the data, with file and line where they are known
	CodeOutOfMemory     Code = Code(crec.REC_OUT_OF_MEMORY)
	CodeLimit           Code = Code(crec.REC_LIMIT) // a stated limit would be exceeded
	CodeNumeric         Code = Code(crec.REC_NUMERIC)
	CodeDevice          Code = Code(crec.REC_DEVICE)
	CodeBusy            Code = Code(crec.REC_BUSY)   // another call on the same trainer is running
	CodeDenied          Code = Code(crec.REC_DENIED) // refused for safety, or by permissions
	CodeABIMismatch     Code = Code(crec.REC_ABI_MISMATCH)
	CodePluginFailed    Code = Code(crec.REC_PLUGIN_FAILED)
	CodeCancelled       Code = Code(crec.REC_CANCELLED)
	CodeInternal        Code = Code(crec.REC_INTERNAL) // a defect of the library
)

// String is the library's name for the code, "INVALID_ARGUMENT".
func (c Code) String() string { return crec.RecStatusName(int(c)) }

// The errors that errors.Is matches an [Error] with, by code. ErrClosed also matches ErrBadState.
var (
	ErrInvalidArgument error = &sentinel{CodeInvalidArgument, "recore: invalid argument"}
	ErrNotFound        error = &sentinel{CodeNotFound, "recore: not found"}
	ErrUnsupported     error = &sentinel{CodeUnsupported, "recore: unsupported"}
	ErrBadState        error = &sentinel{CodeBadState, "recore: bad state"}
	ErrIO              error = &sentinel{CodeIO, "recore: input or output failed"}
	ErrCorruptData     error = &sentinel{CodeCorruptData, "recore: corrupt data"}
	ErrInvalidData     error = &sentinel{CodeInvalidData, "recore: invalid data"}
	ErrOutOfMemory     error = &sentinel{CodeOutOfMemory, "recore: out of memory"}
	ErrLimit           error = &sentinel{CodeLimit, "recore: limit"}
	ErrNumeric         error = &sentinel{CodeNumeric, "recore: not a finite number"}
	ErrDevice          error = &sentinel{CodeDevice, "recore: device"}
	ErrBusy            error = &sentinel{CodeBusy, "recore: busy"}
	ErrDenied          error = &sentinel{CodeDenied, "recore: denied"}
	ErrABIMismatch     error = &sentinel{CodeABIMismatch, "recore: ABI mismatch"}
	ErrPluginFailed    error = &sentinel{CodePluginFailed, "recore: plugin failed"}
	ErrCancelled       error = &sentinel{CodeCancelled, "recore: cancelled"}
	ErrInternal        error = &sentinel{CodeInternal, "recore: internal"}
	ErrClosed                = errors.New("recore: used after Close")
)

// Stop, returned by a callback, ends training early without an error.
var Stop = errors.New("recore: stop training")

type sentinel struct {
	code Code
	text string
}

func (s *sentinel) Error() string { return s.text }

// Error is a failed call.
type Error struct {
	Code       Code
	Message    string // the whole sentence
	Argument   string // name of the argument, parameter or column at fault, or ""
	File       string // file at fault, or ""
	Line       int64  // line in that file, from 1, or -1
	ByteOffset int64  // byte offset in that file, or -1
	cause      error
}

func (e *Error) Error() string { return "recore: " + e.Message }

// Is matches the sentinel of the code; fs.ErrNotExist and fs.ErrPermission too, where a file or the system is at fault.
func (e *Error) Is(target error) bool {
	if s, ok := target.(*sentinel); ok {
		return s.code == e.Code || s.code == CodeInternal && (e.Code < 1 || e.Code > CodeInternal)
	}
	return target == fs.ErrNotExist && e.Code == CodeNotFound && e.File != "" ||
		target == fs.ErrPermission && e.Code == CodeDenied
}

// Unwrap is the error of the context that cancelled the call, or ErrClosed.
func (e *Error) Unwrap() error { return e.cause }

func invalid(argument, format string, values ...any) *Error {
	return &Error{CodeInvalidArgument, argument + ": " + fmt.Sprintf(format, values...), argument, "", -1, -1, nil}
}

// What this package calls the options and constants that a message of the library may name.
var words = map[string]string{
	"user_column": "UserColumn", "item_column": "ItemColumn", "time_column": "TimeColumn", "weight_column": "WeightColumn",
	"label_column": "LabelColumn", "impression_key": "ImpressionKey", "time_format": "TimeFormat",
	"min_weight": "MinWeight", "max_bad_rows": "SkipBadRows", "valid_path": "ValidFile", "test_path": "TestFile",
	"REC_ROWS_USER": "UserRows", "REC_ROWS_EVENT": "EventRows", "REC_ROWS_LIST": "ListRows", "REC_ROWS_LABEL": "LabelRows",
	"REC_CANDIDATES_FULL": "FullCandidates", "REC_CANDIDATES_GIVEN": "GivenCandidates",
	"REC_TIES_AGAINST_TARGET": "TiesAgainstTarget", "REC_HISTORY_TRAINING": "HistoryTraining",
	"REC_HISTORY_BEFORE": "HistoryBefore",
}

// A word, with what stands around it: a name in quotes or in a path is a column or a file.
var word = regexp.MustCompile(`['/.-]?\b[A-Za-z_]+\b['/.-]?`)

func inWordsOfGo(message string) string {
	return word.ReplaceAllStringFunc(message, func(found string) string {
		if spelt, ok := words[found]; ok {
			return spelt
		}
		return found
	})
}

// failed converts an error of the raw layer; nil stays nil.
func failed(err error) error {
	f, ok := err.(*crec.Failure)
	if !ok {
		return err
	}
	return &Error{Code(f.Code), inWordsOfGo(f.Message), inWordsOfGo(f.Argument), f.File, f.Line, f.ByteOffset, nil}
}

// cancelled is failed with the context's reason, if the context ended the call.
func cancelled(ctx context.Context, err error) error {
	err = failed(err)
	if e, ok := err.(*Error); ok && e.Code == CodeCancelled && ctx.Err() != nil {
		return because(ctx, e)
	}
	return err
}

func because(ctx context.Context, e *Error) error {
	e.cause = ctx.Err()
	if cause := context.Cause(ctx); cause != e.cause {
		e.cause = errors.Join(e.cause, cause)
	}
	return e
}
