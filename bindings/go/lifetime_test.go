package recore_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"recore"
)

func TestUseAfterCloseIsErrClosed(t *testing.T) {
	data, model := orchard(t), gridModel(t)
	trainer := must(recore.NewTrainer(data, "popularity"))(t)
	recommender := must(model.Recommender())(t)
	q := &recore.Query{Users: recore.IDsOf(1), Candidates: recore.IDsOf(1), K: 1}
	check(t, trainer.Close())
	check(t, recommender.Close())
	check(t, model.Close())
	other := orchard(t)
	check(t, data.Close())
	for name, use := range map[string]func() error{
		"describe": func() error { _, err := data.Describe(); return err },
		"split":    func() error { _, err := data.Split(recore.Split{}); return err },
		"write":    func() error { return data.Write(t.TempDir()) },
		"train":    func() error { _, err := recore.Train(ctx, data, "popularity"); return err },
		"run":      func() error { return trainer.Run(ctx) },
		"model of": func() error { _, err := trainer.Model(recore.BestEpoch); return err },
		"warm":     func() error { return ends(t, must(recore.NewTrainer(other, "bprmf"))(t)).WarmStart(model) },
		"info":     func() error { _, err := model.Describe(); return err },
		"save":     func() error { return model.Save(filepath.Join(t.TempDir(), "x")) },
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
	trainer := ends(t, must(recore.NewTrainer(data, "popularity"))(t))
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

// cycle makes and uses one object of each kind that is quick to make.
func cycle(t testing.TB, file []byte, users, items recore.IDs) (*recore.Dataset, *recore.Model, *recore.Recommender) {
	data := must(recore.NewDataset(recore.Columns{Users: users, Items: items}))(t)
	model := must(recore.LoadBytes(file))(t)
	recommender := must(model.Recommender())(t)
	if _, err := recommender.Recommend(recore.IDOf(1), 0); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Fatal(err)
	}
	return data, model, recommender
}

func smallFile(t testing.TB) ([]byte, recore.IDs, recore.IDs) {
	path := filepath.Join(t.TempDir(), "small.rec")
	check(t, gridModel(t).Save(path))
	users, items := grid()
	return must(os.ReadFile(path))(t), recore.IDsOf(users...), recore.IDsOf(items...)
}

func TestClosedObjectsLeaveNothingBehind(t *testing.T) {
	data := ends(t, must(recore.NewDataset(recore.Columns{Users: recore.IDsOf(1, 2), Items: recore.IDsOf(1, 1)}))(t))
	model := train(t, data, "popularity")
	once := func() {
		recommender := must(model.Recommender())(t)
		check(t, recommender.Close())
		split := must(data.Split(recore.Split{}))(t)
		check(t, split.Close())
	}
	for range 2000 {
		once()
	}
	before := rss(t)
	for range rounds("REC_CLOSE_ROUNDS", 100_000) {
		once()
	}
	runtime.GC()
	if grown := rss(t) - before; grown > 8<<10 {
		t.Errorf("grown by %d KiB", grown)
	}
}

func TestObjectsAreEndedByTheCollector(t *testing.T) {
	file, users, items := smallFile(t)
	for range 500 {
		cycle(t, file, users, items)
	}
	runtime.GC()
	before := rss(t)
	for i := range rounds("REC_GARBAGE_ROUNDS", 10_000) {
		cycle(t, file, users, items)
		if i%500 == 0 {
			runtime.GC()
		}
	}
	runtime.GC()
	if grown := rss(t) - before; grown > 128<<10 { // a round makes 36 KiB; cleanups lag behind the collector
		t.Errorf("grown by %d KiB", grown)
	}
}

func TestClosingWhileOthersAskIsAnAnswerOrErrClosed(t *testing.T) {
	model := gridModel(t)
	q := &recore.Query{Users: recore.IDsOf(1, 2, 3), K: 3}
	var answers atomic.Int64
	for range rounds("REC_RACE_ROUNDS", 10_000) {
		recommender := must(model.Recommender())(t)
		var wait sync.WaitGroup
		for range 2 {
			wait.Add(1)
			go func() {
				defer wait.Done()
				rows, scores := make([]int64, 9), make([]float32, 9)
				for {
					err := recommender.TopKInto(q, rows, scores, nil)
					if errors.Is(err, recore.ErrClosed) {
						return
					}
					if err != nil || rows[0] < 0 {
						t.Errorf("row %d, error %v", rows[0], err)
						return
					}
					answers.Add(1)
					runtime.Gosched() // let the closer in
				}
			}()
		}
		runtime.Gosched()
		recommender.Close()
		wait.Wait()
	}
	t.Logf("%d answers before the closes", answers.Load())
	if answers.Load() == 0 {
		t.Error("nobody ever asked")
	}
}

func TestATrainerMayBeClosedWhileItRuns(t *testing.T) {
	trainer := must(recore.NewTrainer(orchard(t), "bprmf", recore.Params(map[string]any{"epochs": 3, "emb_size": 8})))(t)
	time.AfterFunc(10*time.Millisecond, func() { trainer.Close() })
	if err := trainer.Run(ctx); err != nil && !errors.Is(err, recore.ErrClosed) {
		t.Error(err)
	}
}

// Reached in another form, or not at all.
var bridged = map[string]string{
	"rec_trainer_create": "TrainerCreate", "rec_trainer_run": "TrainerRun", "rec_model_evaluate": "Evaluate",
	"rec_dataset_create_from_columns": "DatasetCreate", "rec_model_load_bytes": "ModelLoadBytes",
	"rec_report_get_metric": "ReportMetric", "rec_report_get_values": "ReportRows", "rec_report_get_users": "ReportRows",
	"rec_model_item_ids": "ModelIDs", "rec_model_user_ids": "ModelIDs", "rec_model_item_titles": "ModelIDs",
	"rec_model_item_rows": "ModelRows", "rec_model_user_rows": "ModelRows", "rec_model_item_vectors": "ModelVectors",
	"rec_model_user_vectors": "ModelVectors", "rec_recommender_top_k": "TopK", "rec_recommender_score": "Score",
	"rec_recommender_similar_items": "Similar", "rec_log_set_sink": "LogOpen", "rec_log_poll": "LogPoll",
}

func TestEveryFunctionOfTheHeaderIsReachable(t *testing.T) {
	read := func(path ...string) string { return string(must(os.ReadFile(filepath.Join(path...)))(t)) }
	raw := read("internal", "crec", "crec.go") + read("internal", "crec", "bridge.go")
	functions := regexp.MustCompile(`(?m)^REC_API [\w\s*]*?\b(rec_\w+)\(`).FindAllStringSubmatch(read("..", "..", "include", "rec_c_api.h"), -1)
	if len(functions) < 60 {
		t.Fatalf("%d functions in the header", len(functions))
	}
	inside := regexp.MustCompile(`^rec_(error_\w+|text_\w+|\w+_init)$`) // of errors, texts and structs: the layer's own
	for _, f := range functions {
		name := bridged[f[1]]
		if name == "" {
			name = "Rec"
			for _, word := range strings.Split(f[1], "_")[1:] {
				name += strings.ToUpper(word[:1]) + word[1:]
			}
		}
		if !inside.MatchString(f[1]) && !strings.Contains(raw, "func "+name+"(") {
			t.Errorf("%s is not reachable as %s", f[1], name)
		}
	}
}

func TestHandWrittenCodeIsFormatted(t *testing.T) {
	gofmt := filepath.Join(strings.TrimSpace(string(must(exec.Command("go", "env", "GOROOT").Output())(t))), "bin", "gofmt")
	files := append(must(filepath.Glob("*.go"))(t), filepath.Join("internal", "crec", "bridge.go"), filepath.Join("internal", "arrowtest", "arrowtest.go"))
	if out := must(exec.Command(gofmt, append([]string{"-l"}, files...)...).CombinedOutput())(t); len(out) > 0 {
		t.Errorf("run gofmt -w on %s", out)
	}
}
