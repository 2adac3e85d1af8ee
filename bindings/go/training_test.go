package recore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recore"
)

// endless trains until it is stopped.
var endless = recore.Params(map[string]any{"epochs": 1_000_000, "patience": 0, "emb_size": 8, "eval_every": 1_000_000})

func TestEventsComeInOrder(t *testing.T) {
	var kinds []recore.EventKind
	var epochs []recore.Event
	train(t, orchard(t), "bprmf", recore.Epochs(3), recore.Metrics("ndcg@5,recall@5", "recall@5"), recore.Seed(1),
		recore.OnEvent(func(e recore.Event) error {
			if e.Kind != recore.ProgressEvent {
				kinds = append(kinds, e.Kind)
			}
			return nil
		}),
		recore.OnEpoch(func(e recore.Event) error { epochs = append(epochs, e); return nil }))
	if want := []recore.EventKind{recore.StartEvent, recore.EpochEvent, recore.EpochEvent, recore.EpochEvent}; !slices.Equal(kinds, want) {
		t.Errorf("kinds %v", kinds)
	}
	for i, e := range epochs {
		if e.Epoch != i+1 || e.NEpochs != 3 || len(e.Metrics) != 2 || !(e.Metrics["ndcg@5"] > 0) || math.IsNaN(e.Loss) || e.TrainTime <= 0 {
			t.Errorf("%+v", e)
		}
	}
}

func TestStopEndsEarlyWithoutAnError(t *testing.T) {
	var seen []int
	model := train(t, orchard(t), "bprmf", endless, recore.OnEpoch(func(e recore.Event) error {
		seen = append(seen, e.Epoch)
		if e.Epoch == 3 {
			return fmt.Errorf("enough: %w", recore.Stop)
		}
		return nil
	}))
	if info := must(model.Describe())(t); !slices.Equal(seen, []int{1, 2, 3}) || info.Epoch != 3 || info.Model != "bprmf" ||
		info.Parameters["emb_size"] != 8.0 || info.NUsers != 600 || info.NItems != 400 {
		t.Errorf("epochs %v, model %+v", seen, info)
	}
}

func TestACallbacksErrorComesBackWithTheLastEpoch(t *testing.T) {
	mine := errors.New("mine")
	model, err := recore.Train(ctx, orchard(t), "bprmf", endless, recore.OnEpoch(func(e recore.Event) error {
		if e.Epoch == 2 {
			return mine
		}
		return nil
	}))
	if !errors.Is(err, mine) || errors.Is(err, recore.Stop) || model == nil {
		t.Fatalf("model %v, error %v", model, err)
	}
	ends(t, model)
	if info := must(model.Describe())(t); info.Epoch != 2 {
		t.Errorf("model of epoch %d", info.Epoch)
	}
}

func TestAPanicGoesOnInTheCallerAfterTheCall(t *testing.T) {
	trainer := ends(t, must(recore.NewTrainer(context.Background(), orchard(t), "bprmf", endless, recore.OnEpoch(func(e recore.Event) error {
		if e.Epoch == 2 {
			panic("mine")
		}
		return nil
	})))(t))
	func() {
		defer func() {
			if p := recover(); p != "mine" {
				t.Errorf("recovered %v", p)
			}
		}()
		_ = trainer.Run(ctx)
	}()
	// The library has released the trainer: this would be ErrBusy otherwise.
	ends(t, must(trainer.Model(recore.LastEpoch))(t))
}

func TestACallbackMayEndItsGoroutine(t *testing.T) {
	trainer := ends(t, must(recore.NewTrainer(context.Background(), orchard(t), "bprmf", endless,
		recore.OnEpoch(func(recore.Event) error { runtime.Goexit(); return nil })))(t))
	var wait sync.WaitGroup
	wait.Add(1)
	go func() {
		defer wait.Done()
		_ = trainer.Run(ctx)
	}()
	wait.Wait()
	ends(t, must(trainer.Model(recore.LastEpoch))(t))
}

func TestCancelKeepsTheLastFinishedEpoch(t *testing.T) {
	data := orchard(t)
	for _, withCallback := range []bool{true, false} {
		cancellable, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		why := errors.New("the host goes down")
		options := []recore.TrainOption{endless}
		if withCallback {
			options = append(options, recore.OnEpoch(func(e recore.Event) error {
				if e.Epoch == 2 {
					cancel(why)
				}
				return nil
			}))
		} else {
			time.AfterFunc(500*time.Millisecond, func() { cancel(why) })
		}
		model, err := recore.Train(cancellable, data, "bprmf", options...)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, recore.ErrCancelled) || !errors.Is(err, why) || model == nil {
			t.Fatalf("model %v, error %v", model, err)
		}
		if info := must(model.Describe())(t); info.Epoch < 1 || withCallback && info.Epoch != 2 {
			t.Errorf("model of epoch %d", info.Epoch)
		}
		model.Close()
	}
}

func TestADeadlineEndsTraining(t *testing.T) {
	data := orchard(t)
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	model, err := recore.Train(short, data, "bprmf", endless)
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	model.Close()
	if model, err = recore.Train(short, data, "bprmf", endless); !errors.Is(err, context.DeadlineExceeded) || model != nil {
		t.Errorf("begun after the deadline: model %v, error %v", model, err)
	}
}

func TestACallbackMayUseAnythingButItsTrainer(t *testing.T) {
	data := orchard(t)
	var trainer *recore.Trainer
	calls := 0
	trainer = ends(t, must(recore.NewTrainer(context.Background(), data, "popularity", recore.OnEpoch(func(recore.Event) error {
		calls++
		must(data.Describe())(t)
		if _, err := trainer.Model(recore.LastEpoch); !errors.Is(err, recore.ErrBusy) {
			t.Errorf("its model: %v", err)
		}
		return nil
	})))(t))
	check(t, trainer.Run(ctx))
	if calls == 0 {
		t.Error("never called")
	}
}

func TestTrainingIsResumedFromACheckpoint(t *testing.T) {
	data, path := orchard(t), filepath.Join(t.TempDir(), "run.ckpt")
	params := recore.Params(map[string]any{"emb_size": 8, "batch_size": 512, "epochs": 4, "patience": 0})
	whole := train(t, data, "bprmf", params)
	_ = train(t, data, "bprmf", params, recore.Checkpoint(path, time.Hour), recore.CheckpointBatches(5),
		recore.OnEpoch(func(e recore.Event) error { return recore.Stop }))
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
	resumed := train(t, data, "bprmf", params, recore.Checkpoint(path, 0), recore.Resume())
	a, b := must(whole.ItemVectors())(t), must(resumed.ItemVectors())(t)
	if a.N != 400 || a.D != 8 || !slices.Equal(a.Data, b.Data) {
		t.Errorf("vectors [%d, %d] differ from the run in one go", a.N, a.D)
	}
}

func TestAModelStartsFromAnother(t *testing.T) {
	data := orchard(t)
	first := train(t, data, "bprmf")
	second := train(t, data, "bprmf", recore.Epochs(1), recore.Set("lr", 1e-8), recore.WarmStart(first))
	query := &recore.Query{Users: recore.IDsOf("u0061", "u0511"), K: 3}
	a := must(ends(t, must(first.Recommender())(t)).RecommendAll(query))(t)
	b := must(ends(t, must(second.Recommender())(t)).RecommendAll(query))(t)
	for i := range a {
		for j := range a[i] {
			if a[i][j].ID != b[i][j].ID {
				t.Errorf("user %d: %v, then %v", i, a[i], b[i])
			}
		}
	}
	users, items := grid()
	other := ends(t, must(recore.NewDataset(context.Background(), recore.Columns{Users: recore.IDsOf(users...), Items: recore.IDsOf(items...)}))(t))
	if _, err := recore.Train(ctx, other, "bprmf", recore.Set("emb_size", 8), recore.WarmStart(first)); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("other users: %v", err)
	}
}

func TestABadParameterIsNamed(t *testing.T) {
	data := orchard(t)
	for _, row := range []struct {
		name     string
		value    any
		kind     error
		argument string
	}{
		{"unknown name", 8, recore.ErrInvalidArgument, "emb_sise"},
		{"out of range", 0, recore.ErrInvalidArgument, "emb_size"},
		{"wrong type", "many", recore.ErrInvalidArgument, "emb_size"},
		{"not for JSON", make(chan int), recore.ErrInvalidArgument, "lr"},
		{"NaN", math.NaN(), recore.ErrInvalidArgument, "lr"},
		{"no such device", "cuda", recore.ErrDevice, "device"},
	} {
		var e *recore.Error
		_, err := recore.Train(ctx, data, "bprmf", recore.Set(row.argument, row.value))
		if !errors.Is(err, row.kind) || !errors.As(err, &e) || e.Argument != row.argument {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	if _, err := recore.NewTrainer(context.Background(), data, "bprfm"); !errors.Is(err, recore.ErrNotFound) || !strings.Contains(err.Error(), "bprmf") {
		t.Errorf("an unknown model: %v", err)
	}
	trainer := ends(t, must(recore.NewTrainer(context.Background(), data, "bprmf"))(t))
	if _, err := trainer.Model(recore.BestEpoch); !errors.Is(err, recore.ErrBadState) || errors.Is(err, recore.ErrClosed) {
		t.Errorf("a model before the first epoch: %v", err)
	}
	if _, err := recore.NewTrainer(context.Background(), data, "bprmf", recore.TrainMemoryLimit(1000)); !errors.Is(err, recore.ErrLimit) {
		t.Errorf("a memory limit: %v", err)
	}
}

func TestPluginsAreListedAndDescribed(t *testing.T) {
	var path string
	for _, plugin := range must(recore.Plugins())(t) {
		if plugin.Name == "bprmf" {
			path = plugin.Path
		}
	}
	info := must(recore.DescribePlugin("bprmf"))(t)
	found := 0
	for _, p := range info.Parameters {
		if p.Name == "epochs" && p.Owner == "core" || p.Name == "emb_size" && p.Min == 1.0 {
			found++
		}
	}
	if path == "" || info.Doc == "" || found != 2 {
		t.Errorf("path %q, %+v", path, info)
	}
	check(t, recore.LoadPlugin(path))
	check(t, recore.LoadPlugin(filepath.Dir(path)))
	if err := recore.LoadPlugin("/nowhere/librecore_x.so"); !errors.Is(err, recore.ErrNotFound) {
		t.Errorf("no file: %v", err)
	}
}

func TestLogLinesGoToTheLogger(t *testing.T) {
	data, path := orchard(t), filepath.Join(t.TempDir(), "run.ckpt")
	few := recore.Params(map[string]any{"epochs": 1, "batch_size": 8192}) // each batch is a checkpoint
	for _, row := range []struct {
		level slog.Level
		want  bool
	}{{slog.LevelDebug, true}, {slog.LevelWarn, false}} {
		var out bytes.Buffer
		check(t, recore.SetLogger(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: row.level}))))
		train(t, data, "bprmf", few, recore.Checkpoint(path, 0), recore.CheckpointBatches(1))
		if dropped := must(recore.FlushLog())(t); dropped != 0 {
			t.Errorf("%d lines lost", dropped)
		}
		if got := strings.Contains(out.String(), "checkpoint path="); got != row.want {
			t.Errorf("level %v: checkpoint lines %v", row.level, got)
		}
	}
	check(t, recore.SetLogger(slog.New(panics{})))
	train(t, data, "bprmf", few, recore.Checkpoint(path, 0), recore.CheckpointBatches(1)) // a handler's panic is swallowed
	check(t, recore.SetLogger(nil))
}

type panics struct{ slog.Handler }

func (panics) Enabled(context.Context, slog.Level) bool  { return true }
func (panics) Handle(context.Context, slog.Record) error { panic("in a handler") }
