package recore

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"

	"recore/internal/crec"
)

// handle is one object of the library. The library looks handles up, so that closing one while another goroutine is in a
// call is safe: the call finishes, later ones fail.
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

// use is the raw handle for one call. The caller keeps h alive until the call is over.
func (h *handle[R]) use() (R, error) {
	raw := h.raw.Load()
	if raw == 0 {
		return 0, h.closed()
	}
	return R(raw), nil
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

// text refuses what the library would cut short.
func text(name, value string) error {
	if strings.IndexByte(value, 0) >= 0 {
		return invalid(name, "must not contain a NUL byte")
	}
	return nil
}

// cancelOn gives a token that is requested when ctx ends, and its end. It is 0 for a context that never does, and an error
// for one that has.
func cancelOn(ctx context.Context) (crec.Cancel, func(), error) {
	if ctx.Err() != nil {
		return 0, nil, because(ctx, &Error{CodeCancelled, "cancelled before the call began", "", "", -1, -1, nil})
	}
	if ctx.Done() == nil {
		return 0, func() {}, nil
	}
	var token crec.Cancel
	if err := crec.RecCancelCreate(&token); err != nil {
		return 0, nil, failed(err)
	}
	cancel := token // what is passed to C must not be reached from the closures
	stop := context.AfterFunc(ctx, func() { _ = crec.RecCancelRequest(cancel) })
	return cancel, func() {
		stop()
		crec.RecCancelDestroy(cancel)
	}, nil
}

// longCall is how a call runs that ends with ctx, and the end of it.
func longCall(ctx context.Context, threads int, isolation Isolation, onEvent func(crec.Event) bool) (crec.Run, func(), error) {
	cancel, endCancel, err := cancelOn(ctx)
	if err != nil {
		return 0, nil, err
	}
	run, endRun := crec.NewRun(onEvent, cancel, threads, int(isolation))
	return run, func() {
		defer endCancel()
		endRun()
	}, nil
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}
