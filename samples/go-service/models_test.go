package main

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"recore"
)

func serving(t *testing.T) *models {
	t.Helper()
	data, err := recore.LoadDataset(context.Background(), "../data/orchard.inter.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	trained, err := recore.Train(context.Background(), data, "popularity")
	if err != nil {
		t.Fatal(err)
	}
	defer trained.Close()
	m := &models{path: filepath.Join(t.TempDir(), "model.rec")}
	if err := trained.Save(context.Background(), m.path); err != nil {
		t.Fatal(err)
	}
	m.reload()
	return m
}

func TestALeasedModelStaysOpenAfterAnotherTookItsPlace(t *testing.T) {
	m := serving(t)
	old := m.lease()
	m.reload()
	if now := m.lease(); now == old || now.number != 2 {
		t.Errorf("generation %d answers", now.number)
	} else {
		now.leave()
	}
	if n := m.open.Load(); n != 2 {
		t.Errorf("%d models are open, of which one is leased and one is current", n)
	}
	if _, err := old.recommender.Recommend(recore.IDOf("u0061"), 3); err != nil {
		t.Error(err)
	}
	old.leave()
	if _, err := old.recommender.Recommend(recore.IDOf("u0061"), 3); !errors.Is(err, recore.ErrClosed) {
		t.Errorf("the last has left, and it is not closed: %v", err)
	}
	if old.enter() {
		t.Error("a closed generation can be entered")
	}
	if n := m.open.Load(); n != 1 {
		t.Errorf("%d models are open", n)
	}
}

func TestLeasesAndReloadsAtOnceMeetNoClosedModel(t *testing.T) {
	m := serving(t)
	var askers sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		askers.Add(1)
		go func() {
			defer askers.Done()
			for {
				select {
				case <-done:
					return
				default:
				}
				g := m.lease()
				if _, err := g.recommender.Recommend(recore.IDOf("u0061"), 3); err != nil {
					t.Error(err)
				}
				g.leave()
			}
		}()
	}
	for range 100 {
		m.reload()
	}
	close(done)
	askers.Wait()
	if n := m.open.Load(); n != 1 || m.failures.Load() != 0 {
		t.Errorf("%d models are open, %d failed to load", n, m.failures.Load())
	}
}
