package main

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// The labels that are distinguished; anything else counts as the last one, so that clients cannot create more.
var (
	paths    = []string{"/recommend", "/similar", "/healthz", "/metrics", "other"}
	statuses = []int{200, 400, 404, 405, 501, 503, 500}
	bounds   = []time.Duration{100 * time.Microsecond, 200 * time.Microsecond, 500 * time.Microsecond, time.Millisecond,
		2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second}
)

type metrics struct {
	inFlight atomic.Int64
	requests [5][7]atomic.Int64  // by path and status
	seconds  [5][14]atomic.Int64 // by path and bound on the time taken; the last has no bound
	nanos    [5]atomic.Int64
}

func (m *metrics) observe(path string, status int, took time.Duration) {
	p := indexOr(paths, path, len(paths)-1)
	m.requests[p][indexOr(statuses, status, len(statuses)-1)].Add(1)
	bound, _ := slices.BinarySearch(bounds, took)
	m.seconds[p][bound].Add(1)
	m.nanos[p].Add(int64(took))
}

func indexOr[T comparable](list []T, value T, other int) int {
	if i := slices.Index(list, value); i >= 0 {
		return i
	}
	return other
}

// write appends the text format of Prometheus.
func (m *metrics) write(out []byte, models *models) []byte {
	head := func(name, kind, help string) {
		out = fmt.Appendf(out, "# HELP recore_%s %s\n# TYPE recore_%s %s\n", name, help, name, kind)
	}
	head("requests_total", "counter", "Requests answered.")
	for p, path := range paths {
		for i, status := range statuses {
			if n := m.requests[p][i].Load(); n > 0 {
				out = fmt.Appendf(out, "recore_requests_total{path=%q,status=\"%d\"} %d\n", path, status, n)
			}
		}
	}
	head("request_seconds", "histogram", "Time from the request read to the answer written.")
	for p, path := range paths {
		n := int64(0)
		for i, bound := range bounds {
			n += m.seconds[p][i].Load()
			out = fmt.Appendf(out, "recore_request_seconds_bucket{path=%q,le=\"%g\"} %d\n", path, bound.Seconds(), n)
		}
		n += m.seconds[p][len(bounds)].Load()
		out = fmt.Appendf(out, "recore_request_seconds_bucket{path=%q,le=\"+Inf\"} %d\n", path, n)
		out = fmt.Appendf(out, "recore_request_seconds_sum{path=%q} %g\n", path, time.Duration(m.nanos[p].Load()).Seconds())
		out = fmt.Appendf(out, "recore_request_seconds_count{path=%q} %d\n", path, n)
	}
	number := func(name, kind, help string, n int64) {
		head(name, kind, help)
		out = fmt.Appendf(out, "recore_%s %d\n", name, n)
	}
	loaded := models.loaded.Load()
	number("requests_in_flight", "gauge", "Requests being answered.", m.inFlight.Load())
	number("model_generation", "gauge", "Which model answers, from 1; 0 = none yet.", loaded)
	number("model_swaps_total", "counter", "Models replaced by another.", max(loaded-1, 0))
	number("model_load_failures_total", "counter", "Model files that were refused.", models.failures.Load())
	number("models_open", "gauge", "Models in memory: the current one, and older ones until their last request is answered.",
		models.open.Load())
	return out
}
