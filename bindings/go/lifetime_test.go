package recore_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recore"
)

func TestUseAfterCloseIsErrClosed(t *testing.T) {
	data, model := orchard(t), gridModel(t)
	trainer := must(recore.NewTrainer(context.Background(), data, "popularity"))(t)
	recommender := must(model.Recommender())(t)
	q := &recore.Query{Users: recore.IDsOf(1), Candidates: recore.IDsOf(1), K: 1}
	check(t, trainer.Close())
	check(t, recommender.Close())
	check(t, model.Close())
	other := orchard(t)
	check(t, data.Close())
	for name, use := range map[string]func() error{
		"describe": func() error { _, err := data.Describe(); return err },
		"split":    func() error { _, err := data.Split(context.Background(), recore.Split{}); return err },
		"write":    func() error { return data.Write(context.Background(), t.TempDir()) },
		"train":    func() error { _, err := recore.Train(ctx, data, "popularity"); return err },
		"run":      func() error { return trainer.Run(ctx) },
		"model of": func() error { _, err := trainer.Model(recore.BestEpoch); return err },
		"warm": func() error {
			return ends(t, must(recore.NewTrainer(context.Background(), other, "bprmf"))(t)).WarmStart(model)
		},
		"info":     func() error { _, err := model.Describe(); return err },
		"save":     func() error { return model.Save(context.Background(), filepath.Join(t.TempDir(), "x")) },
		"counts":   func() error { _, _, err := model.Counts(); return err },
		"rows":     func() error { _, err := model.ItemRows(recore.IDsOf(1)); return err },
		"ids":      func() error { _, err := model.ItemIDs(nil); return err },
		"vectors":  func() error { _, err := model.ItemVectors(); return err },
		"evaluate": func() error { _, err := model.Evaluate(ctx, other, "ndcg@5", recore.Protocol{}); return err },
		"serve":    func() error { _, err := model.Recommender(); return err },
		"ask":      func() error { _, err := recommender.RecommendAll(q); return err },
		"score":    func() error { _, err := recommender.Score(q); return err },
		"similar":  func() error { _, err := recommender.Similar(q.Users, 1); return err },
	} {
		if err := use(); !errors.Is(err, recore.ErrClosed) || !errors.Is(err, recore.ErrBadState) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, closer := range []interface{ Close() error }{data, trainer, model, recommender, (*recore.Model)(nil), new(recore.Dataset)} {
		check(t, closer.Close())
	}
}

func TestChildrenKeepWhatTheyNeed(t *testing.T) {
	data := orchard(t)
	trainer := ends(t, must(recore.NewTrainer(context.Background(), data, "popularity"))(t))
	data.Close()
	check(t, trainer.Run(ctx))
	model := must(trainer.Model(recore.BestEpoch))(t)
	trainer.Close()
	recommender := ends(t, must(model.Recommender())(t))
	model.Close()
	if answer := must(recommender.Recommend(recore.IDOf("u0061"), 3))(t); len(answer) != 3 || answer[0].ID.String() == "" {
		t.Errorf("%v", answer)
	}
}

// rss is the memory of the process, in KiB.
func rss(t testing.TB) int {
	status := must(os.ReadFile("/proc/self/status"))(t)
	return must(strconv.Atoi(string(regexp.MustCompile(`VmRSS:\s+(\d+)`).FindSubmatch(status)[1])))(t)
}

// objects is one of each kind that is closed by hand.
type objects struct {
	data        *recore.Dataset
	trainer     *recore.Trainer
	model       *recore.Model
	recommender *recore.Recommender
}

// source is what they are made from: a model file and the columns that it was trained on.
type source struct {
	file         []byte
	users, items recore.IDs
}

func smallSource(t testing.TB) source {
	users, items := grid()
	return source{saved(t, gridModel(t)), recore.IDsOf(users...), recore.IDsOf(items...)}
}

// use makes the objects of round i and uses them; one call fails, since errors have a lifetime too. Every 20th round has a
// trainer, which takes five times as long to make as the others together.
func (s source) use(t testing.TB, i int) objects {
	data := must(recore.NewDataset(context.Background(), recore.Columns{Users: s.users, Items: s.items}))(t)
	var trainer *recore.Trainer
	if i%20 == 0 {
		trainer = must(recore.NewTrainer(context.Background(), data, "popularity"))(t)
	}
	model := must(recore.LoadBytes(context.Background(), s.file))(t)
	recommender := must(model.Recommender())(t)
	must(recommender.Recommend(recore.IDOf(1), 3))(t)
	if _, err := recommender.Recommend(recore.IDOf(1), 0); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Fatal(err)
	}
	return objects{data, trainer, model, recommender}
}

func (o objects) close(t testing.TB) {
	for range 2 {
		check(t, o.data.Close())
		check(t, o.trainer.Close())
		check(t, o.model.Close())
		check(t, o.recommender.Close())
	}
}

func TestClosedObjectsLeaveNothingBehind(t *testing.T) {
	s := smallSource(t)
	for i := range 2000 {
		s.use(t, i).close(t)
	}
	runtime.GC()
	before := rss(t)
	for i := range rounds(5000, 1_000_000) {
		s.use(t, i).close(t)
	}
	runtime.GC()
	if grown := rss(t) - before; grown > 16<<10 {
		t.Errorf("grown by %d KiB", grown)
	}
}

func TestObjectsAreEndedByTheCollector(t *testing.T) {
	s := smallSource(t)
	collect := func() {
		runtime.GC()
		time.Sleep(10 * time.Millisecond) // cleanups run in a separate goroutine
	}
	use := func(n int) {
		for i := range n {
			s.use(t, i)
			if i%250 == 0 {
				collect()
			}
		}
		collect()
	}
	use(500)
	before := rss(t)
	use(rounds(4000, 100_000))
	if grown := rss(t) - before; grown > 128<<10 { // a round holds 60 KiB; allocators keep what threads freed
		t.Errorf("grown by %d KiB", grown)
	} else {
		t.Logf("grown by %d KiB", grown)
	}
}

func TestClosingWhileOthersAskIsAnAnswerOrErrClosed(t *testing.T) {
	s := smallSource(t)
	q := &recore.Query{Users: recore.IDsOf(1, 2, 3), K: 3}
	var answers atomic.Int64
	for i := range rounds(2000, 100_000) {
		o := s.use(t, i)
		calls := []func() error{
			func() error { return o.recommender.TopKInto(q, make([]int64, 9), make([]float32, 9), nil) },
			func() error { _, _, err := o.model.Counts(); return err },
			func() error { _, err := o.data.Describe(); return err },
		}
		if o.trainer != nil {
			calls = append(calls, func() error { _, err := o.trainer.Model(recore.LastEpoch); return err })
		}
		var wait sync.WaitGroup
		for range 2 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				for open := len(calls); open > 0; {
					open = 0
					for i, call := range calls {
						err := call()
						switch {
						case errors.Is(err, recore.ErrClosed):
							continue
						case err == nil:
							answers.Add(1)
						case i != 3 || !errors.Is(err, recore.ErrBadState) && !errors.Is(err, recore.ErrBusy): // nothing is trained yet
							t.Errorf("call %d: %v", i, err)
							return
						}
						open++
					}
					runtime.Gosched() // let the closing goroutine run
				}
			}()
		}
		runtime.Gosched()
		wait.Add(1)
		go func() {
			defer wait.Done()
			o.close(t)
		}()
		o.close(t)
		wait.Wait()
	}
	t.Logf("%d answers before the closes", answers.Load())
	if answers.Load() == 0 {
		t.Error("nobody ever asked")
	}
}

func TestATrainerMayBeClosedWhileItRuns(t *testing.T) {
	params := recore.Params(map[string]any{"epochs": 3, "emb_size": 8})
	trainer := must(recore.NewTrainer(context.Background(), orchard(t), "bprmf", params))(t)
	time.AfterFunc(10*time.Millisecond, func() { trainer.Close() })
	if err := trainer.Run(ctx); err != nil && !errors.Is(err, recore.ErrClosed) {
		t.Error(err)
	}
	calls := 0
	trainer = must(recore.NewTrainer(context.Background(), orchard(t), "bprmf", params, recore.OnEpoch(func(recore.Event) error {
		calls++
		return trainer.Close()
	})))(t)
	if err := trainer.Run(ctx); err != nil || calls != 3 {
		t.Errorf("closed by its own callback: %v after %d epochs", err, calls)
	}
}
