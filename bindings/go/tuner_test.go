package recore_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"

	"recore"
)

var space = map[string]any{"lr": recore.Range{Low: 1e-3, High: 0.1, Log: true}, "emb_size": []int{4, 8},
	"n": recore.Range{Low: 1, High: 3}, "w": recore.Range{Low: 1.0, High: 3.0}}

func TestASearchGoesOnFromItsJournal(t *testing.T) {
	options := recore.TunerOptions{Sampler: recore.Random, NTrials: 3, Journal: filepath.Join(t.TempDir(), "j")}
	var table string
	for range 2 {
		tuner, err := recore.NewTuner(space, options)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := recore.NewTuner(space, options); !errors.Is(err, recore.ErrBusy) {
			t.Error(err)
		}
		for {
			trial, err := tuner.Ask()
			if err != nil {
				t.Fatal(err)
			}
			if trial == nil {
				break
			}
			if trial.Number == 1 {
				err = tuner.TellEnd(trial, recore.TrialFailed, "it failed")
			} else {
				prune, reportErr := tuner.Report(trial, 1, 0.5)
				n, isWhole := trial.Parameters["n"].(int64)
				_, isFloat := trial.Parameters["w"].(float64)
				if prune || reportErr != nil || !isWhole || !isFloat {
					t.Error(prune, reportErr, trial.Parameters)
				}
				err = tuner.Tell(trial, float64(n))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		described, err := tuner.Describe()
		if err != nil {
			t.Fatal(err)
		}
		if table != "" && table != string(described) {
			t.Errorf("%s, then %s", table, described)
		}
		table = string(described)
		tuner.Close()
		if _, err := tuner.Ask(); !errors.Is(err, recore.ErrClosed) {
			t.Error(err)
		}
	}
	var read struct {
		Best   int
		Trials []struct{ State, Message string }
	}
	if err := json.Unmarshal([]byte(table), &read); err != nil || len(read.Trials) != 3 || read.Trials[1].Message != "it failed" {
		t.Error(err, table)
	}
	options.Seed = 4
	var failure *recore.Error
	if _, err := recore.NewTuner(space, options); !errors.As(err, &failure) || failure.Argument != "seed" {
		t.Error(err)
	}
}

func TestAPrunerSaysWhichTrialsEnd(t *testing.T) {
	tuner, err := recore.NewTuner(map[string]any{"a": []int{1, 2}}, recore.TunerOptions{Sampler: recore.Grid, Pruner: recore.HalvingPruner})
	if err != nil {
		t.Fatal(err)
	}
	defer tuner.Close()
	for _, want := range []bool{false, true} {
		trial, err := tuner.Ask()
		if err != nil {
			t.Fatal(err)
		}
		prune, err := tuner.Report(trial, 1, -float64(trial.Number))
		if err != nil || prune != want {
			t.Error(trial.Number, prune, err)
		}
		if err := tuner.TellEnd(trial, recore.TrialPruned, ""); err != nil {
			t.Error(err)
		}
	}
	if _, err := recore.NewTuner(map[string]any{"a": 1}, recore.TunerOptions{}); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Error(err)
	}
}
