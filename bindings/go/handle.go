package recore

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"

	"recore/internal/crec"
)

// handle is one object of the library. The library looks handles up, so closing one while another goroutine is in a call
// is safe: the call finishes, later ones fail.
type handle[R ~uintptr] struct {
	raw     atomic.Uintptr
	what    string
	end     func(R)
	cleanup runtime.Cleanup
}

func (h *handle[R]) open(what string, raw R, end func(R)) {
	h.what, h.end = what, end
	h.raw.Store(uintptr(raw))
	h.cleanup = runtime.AddCleanup(h, end, raw)
}

// call makes one call with the raw handle, which is kept alive until it is over.
func (h *handle[R]) call(f func(R) error) error {
	raw := h.raw.Load()
	if raw == 0 {
		return h.closed()
	}
	err := f(R(raw))
	runtime.KeepAlive(h)
	return h.failed(err)
}

// longCall is call for a call that ends with ctx.
func (h *handle[R]) longCall(ctx context.Context, how how, f func(R, crec.Run) error) error {
	return h.call(func(raw R) error {
		return longCall(ctx, how, func(run crec.Run) error { return f(raw, run) })
	})
}

func (h *handle[R]) closed() error {
	return &Error{CodeBadState, h.what + ": used after Close", "", "", -1, -1, ErrClosed}
}

// failed is the error of a call that used the handle; it may have been closed in the meantime.
func (h *handle[R]) failed(err error) error {
	err = failed(err)
	if e, ok := err.(*Error); ok && e.Code == CodeBadState && h.raw.Load() == 0 {
		return h.closed()
	}
	return err
}

func (h *handle[R]) close() error {
	if raw := h.raw.Swap(0); raw != 0 {
		h.cleanup.Stop()
		h.end(R(raw))
	}
	runtime.KeepAlive(h)
	return nil
}

// text refuses a value that the library would cut short.
func text(name, value string) error {
	if strings.IndexByte(value, 0) >= 0 {
		return invalid(name, "must not contain a NUL byte")
	}
	return nil
}

// cancelOn returns a token that is cancelled when ctx ends, and a function that ends the token. The token is 0 for a context
// that never ends; one that has ended is an error.
func cancelOn(ctx context.Context) (crec.Cancel, func(), error) {
	if ctx.Done() == nil {
		return 0, func() {}, nil
	}
	var token crec.Cancel
	if err := crec.RecCancelCreate(&token); err != nil {
		return 0, nil, failed(err)
	}
	cancel := token       // what is passed to C must not be reached from the closures
	if ctx.Err() != nil { // AfterFunc would tell it at some later time
		_ = crec.RecCancelRequest(cancel)
	}
	stop := context.AfterFunc(ctx, func() { _ = crec.RecCancelRequest(cancel) })
	return cancel, func() {
		stop()
		crec.RecCancelDestroy(cancel)
	}, nil
}

// how a long call runs; the zero value is the default.
type how struct {
	threads   int
	isolation Isolation
	onEvent   func(crec.Event) bool
}

// longCall makes a call that ends with ctx.
func longCall(ctx context.Context, how how, f func(crec.Run) error) error {
	cancel, endCancel, err := cancelOn(ctx)
	if err != nil {
		return err
	}
	defer endCancel()
	run, endRun := crec.NewRun(how.onEvent, cancel, how.threads, int(how.isolation))
	defer endRun()
	return cancelled(ctx, f(run))
}

// made returns what a long call creates.
func made[R ~uintptr](ctx context.Context, f func(run crec.Run, out *R) error) (out R, err error) {
	err = longCall(ctx, how{}, func(run crec.Run) error { return f(run, &out) })
	return out, err
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
