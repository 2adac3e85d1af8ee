package recore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"recore"
)

func TestAWorkerMakesTheSameModel(t *testing.T) {
	data := orchard(t)
	var files [][]byte
	for _, isolation := range []recore.Isolation{recore.InProcess, recore.ProcessIsolation, recore.AutoIsolation} {
		model := train(t, data, "bprmf", recore.Epochs(2), recore.Seed(3), recore.Isolate(isolation))
		files = append(files, saved(t, model))
		report := must(model.Evaluate(context.Background(), data, "ndcg@20", recore.Protocol{Isolation: isolation}))(t)
		files[len(files)-1] = fmt.Appendf(files[len(files)-1], "%x", report.Values["ndcg@20"])
	}
	if len(files[0]) == 0 || !bytes.Equal(files[0], files[1]) || !bytes.Equal(files[0], files[2]) {
		t.Error("the files or their reports differ")
	}
}

func TestACrashOfAWorkerIsAnErrorThatNamesTheSignal(t *testing.T) {
	check(t, recore.LoadPlugin(filepath.Join(os.Getenv("REC_BUILD_FOLDER"), "lib", "recore", "evil")))
	_, err := recore.Train(context.Background(), orchard(t), "evil_abort", recore.Isolate(recore.ProcessIsolation))
	if !errors.Is(err, recore.ErrPluginFailed) || !strings.Contains(err.Error(), "was killed by signal 6 (SIGABRT") {
		t.Errorf("%v", err)
	}
	train(t, orchard(t), "bprmf", recore.Epochs(1))
}

func TestAContextAndAnErrorStopAWorker(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	start := time.Now()
	model, err := recore.Train(ctx, orchard(t), "bprmf", endless, recore.Isolate(recore.ProcessIsolation),
		recore.OnEpoch(func(e recore.Event) error {
			if e.Epoch == 2 {
				cancel()
			}
			return nil
		}))
	if !errors.Is(err, context.Canceled) || model == nil || time.Since(start) > time.Minute {
		t.Fatalf("%v after %v", err, time.Since(start))
	}
	model.Close()
	enough := errors.New("enough")
	model, err = recore.Train(context.Background(), orchard(t), "bprmf", endless, recore.Isolate(recore.ProcessIsolation),
		recore.OnEpoch(func(recore.Event) error { return enough }))
	if !errors.Is(err, enough) || model == nil || must(model.Describe())(t).Epoch != 1 {
		t.Errorf("%v", err)
	}
	model.Close()
}
