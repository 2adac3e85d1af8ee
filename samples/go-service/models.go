package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"recore"
)

const pollEvery = time.Second

// generation is one model with what an answer needs. The last request to use it closes it, so no request meets a closed object.
type generation struct {
	number             int64
	model              *recore.Model
	recommender        *recore.Recommender
	titles             []string // by item row, "" for none
	intUsers, intItems bool     // ids are int64, not text
	uses               atomic.Int64
	open               *atomic.Int64
}

func load(path string, number int64, open *atomic.Int64, options []recore.RecommenderOption) (g *generation, err error) {
	model, err := recore.Load(context.Background(), path)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			model.Close()
		}
	}()
	users, err := model.UserIDs([]int64{-1})
	if err != nil {
		return nil, err
	}
	items, err := model.ItemIDs(nil)
	if err != nil {
		return nil, err
	}
	titles, err := model.Titles(items)
	if err != nil {
		return nil, err
	}
	recommender, err := model.Recommender(options...)
	if err != nil {
		return nil, err
	}
	g = &generation{number: number, model: model, recommender: recommender, titles: titles, open: open,
		intUsers: users.At(0).IsInt64(), intItems: items.Len() > 0 && items.At(0).IsInt64()}
	g.uses.Store(1)
	open.Add(1)
	return g, nil
}

// enter fails once the last user has left.
func (g *generation) enter() bool {
	for {
		n := g.uses.Load()
		if n == 0 {
			return false
		}
		if g.uses.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (g *generation) leave() {
	if g.uses.Add(-1) == 0 {
		g.recommender.Close()
		g.model.Close()
		g.open.Add(-1)
	}
}

// id is the model's id for text.
func id(name, text string, isInt bool) (recore.ID, error) {
	if !isInt {
		return recore.IDOf(text), nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return recore.ID{}, refuse(http.StatusBadRequest, "%s: this model's ids are int64, got '%s'", name, text)
	}
	return recore.IDOf(number), nil
}

// models is the current model, and the file that the next one comes from.
type models struct {
	path                   string
	options                []recore.RecommenderOption
	current                atomic.Pointer[generation]
	seen                   os.FileInfo // the file last loaded or refused
	loaded, failures, open atomic.Int64
}

// lease returns the current generation, which the caller must leave; nil before the first.
func (m *models) lease() *generation {
	for {
		g := m.current.Load()
		if g == nil || g.enter() {
			return g
		}
	}
}

// watch checks the file until ctx ends.
func (m *models) watch(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for first := true; ctx.Err() == nil; first = false {
		file, err := os.Stat(m.path) // before reading it: a replacement in the meantime is seen the next time
		if err != nil {
			file = nil
		}
		if first || !same(file, m.seen) {
			m.seen = file
			m.reload()
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

func same(a, b os.FileInfo) bool {
	if a == nil || b == nil {
		return a == b
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// reload replaces the current model by the file's; the current one stays if the file is bad.
func (m *models) reload() {
	start := time.Now()
	next, err := load(m.path, m.loaded.Load()+1, &m.open, m.options)
	if err != nil {
		m.failures.Add(1)
		slog.Error("model.refused", "path", m.path, "error", err)
		return
	}
	m.loaded.Store(next.number)
	if old := m.current.Swap(next); old != nil {
		old.leave()
	}
	slog.Info("model.loaded", "path", m.path, "generation", next.number, "ms", time.Since(start).Milliseconds())
}
