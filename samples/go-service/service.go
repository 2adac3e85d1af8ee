package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"recore"
)

const maxK = 1000

type service struct {
	models     *models
	metrics    metrics
	answers    sync.Pool
	workers    chan struct{} // bounds how many rank at once: each occupies an OS thread
	waiting    atomic.Int64
	maxWaiting int64
	draining   atomic.Bool
}

func newService(o options) *service {
	s := &service{models: &models{path: o.model}, workers: make(chan struct{}, o.workers), maxWaiting: int64(o.maxWaiting)}
	s.models.options = []recore.RecommenderOption{recore.MaxK(maxK), recore.NCallers(o.workers)}
	if o.excludeSeen {
		s.models.options = append(s.models.options, recore.ExcludeSeen())
	}
	s.answers.New = func() any { return new(answer) }
	return s
}

// refusal is an answer other than 200.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return r.text }

func refuse(status int, format string, values ...any) error {
	return &refusal{status, fmt.Sprintf(format, values...)}
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	s.metrics.inFlight.Add(1)
	defer s.metrics.inFlight.Add(-1)
	a := s.answers.Get().(*answer)
	defer s.answers.Put(a)
	a.body = a.body[:0]
	status, header := http.StatusOK, w.Header()
	header.Set("Content-Type", "application/json")
	if err := s.route(r, header, a); err != nil {
		status = statusOf(err)
		a.fail(err)
	}
	switch status {
	case http.StatusMethodNotAllowed:
		header.Set("Allow", "GET, HEAD")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	if s.draining.Load() {
		header.Set("Connection", "close")
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(status)
	_, _ = w.Write(a.body) // the client may have left
	s.metrics.observe(r.URL.Path, status, time.Since(start))
}

func (s *service) route(r *http.Request, header http.Header, a *answer) error {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return refuse(http.StatusMethodNotAllowed, "only GET and HEAD are understood")
	}
	switch r.URL.Path {
	case "/recommend":
		return s.rank(r, a, recommend)
	case "/similar":
		return s.rank(r, a, similar)
	case "/healthz":
		return s.health(a)
	case "/metrics":
		header.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		a.body = s.metrics.write(a.body, s.models)
		return nil
	}
	return refuse(http.StatusNotFound, "there is /recommend, /similar, /healthz and /metrics")
}

func (s *service) health(a *answer) error {
	g := s.models.current.Load()
	switch {
	case s.draining.Load():
		return refuse(http.StatusServiceUnavailable, "draining")
	case g == nil:
		return refuse(http.StatusServiceUnavailable, "no model is loaded yet")
	}
	a.body = fmt.Appendf(a.body, `{"status":"ok","generation":%d}`, g.number)
	return nil
}

// rank does what /recommend and /similar have in common: parameters, a worker, a model.
func (s *service) rank(r *http.Request, a *answer, fill func(*generation, url.Values, int, *answer) error) error {
	params, err := url.ParseQuery(strings.ReplaceAll(r.URL.RawQuery, ";", "%3B")) // it refuses ';', which an id may contain
	if err != nil {
		return refuse(http.StatusBadRequest, "query: is not percent-encoded")
	}
	k := 10
	if params.Has("k") {
		if k, err = strconv.Atoi(params.Get("k")); err != nil || k < 1 || k > maxK {
			return refuse(http.StatusBadRequest, "k: must be a number between 1 and %d, got '%s'", maxK, params.Get("k"))
		}
	}
	if !s.takeWorker() {
		return refuse(http.StatusServiceUnavailable, "too many requests are waiting")
	}
	defer func() { <-s.workers }()
	g := s.models.lease()
	if g == nil {
		return refuse(http.StatusServiceUnavailable, "no model is loaded yet")
	}
	defer g.leave()
	return fill(g, params, k, a)
}

func (s *service) takeWorker() bool {
	select {
	case s.workers <- struct{}{}:
		return true
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.maxWaiting {
		return false
	}
	s.workers <- struct{}{}
	return true
}

func recommend(g *generation, params url.Values, k int, a *answer) (err error) {
	query, user := recore.Query{K: k}, recore.ID{}
	if params.Has("user") {
		if user, err = id("user", params.Get("user"), g.intUsers); err != nil {
			return err
		}
		query.Users = a.only(user)
	}
	if params.Has("history") {
		var history recore.IDs
		for text := range strings.SplitSeq(params.Get("history"), ",") {
			item, err := id("history", text, g.intItems)
			if err != nil {
				return err
			}
			history.Append(item)
		}
		query.Histories = recore.ListsOf(history)
	} else if user.IsNone() {
		return refuse(http.StatusBadRequest, "user: must be given, or a history")
	}
	rows, scores := a.room(k)
	if err := g.recommender.TopKInto(&query, rows, scores, a.status[:]); err != nil {
		return err
	}
	switch {
	case a.status[0] == 0:
		a.items(g, "user", user, rows, scores)
		return nil
	case user.IsNone():
		return refuse(http.StatusNotFound, "history: the model knows none of it")
	}
	return refuse(http.StatusNotFound, "user: the model does not know '%s'; give what they had as history=ITEM,ITEM", user)
}

func similar(g *generation, params url.Values, k int, a *answer) error {
	if !params.Has("item") {
		return refuse(http.StatusBadRequest, "item: must be given")
	}
	item, err := id("item", params.Get("item"), g.intItems)
	if err != nil {
		return err
	}
	rows, scores := a.room(k)
	if err := g.recommender.SimilarInto(a.only(item), k, rows, scores, a.status[:]); err != nil {
		return err
	}
	if a.status[0] != 0 {
		return refuse(http.StatusNotFound, "item: the model does not know '%s'", item)
	}
	a.items(g, "similar_to", item, rows, scores)
	return nil
}

func statusOf(err error) int {
	if refused := (*refusal)(nil); errors.As(err, &refused) {
		return refused.status
	}
	switch {
	case errors.Is(err, recore.ErrInvalidArgument):
		return http.StatusBadRequest
	case errors.Is(err, recore.ErrNotFound):
		return http.StatusNotFound
	case errors.Is(err, recore.ErrUnsupported):
		return http.StatusNotImplemented
	}
	slog.Error("request.failed", "error", err)
	return http.StatusInternalServerError
}
