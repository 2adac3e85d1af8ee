package recore

import (
	"bytes"
	"encoding/json"
	"errors"

	"recore/internal/crec"
)

// Range is the numbers between two, which belong to it, for [NewTuner]: whole numbers if both ends are of an integer type. With
// Log their logarithm is drawn evenly.
type Range struct {
	Low, High any
	Log       bool
}

// MarshalJSON writes a float as one, though it may be a whole number.
func (r Range) MarshalJSON() ([]byte, error) {
	end := func(value any) (json.RawMessage, error) {
		encoded, err := json.Marshal(value)
		switch value.(type) {
		case float32, float64:
			if !bytes.ContainsAny(encoded, ".e") {
				encoded = append(encoded, ".0"...)
			}
		}
		return encoded, err
	}
	low, lowErr := end(r.Low)
	high, highErr := end(r.High)
	if err := errors.Join(lowErr, highErr); err != nil {
		return nil, err
	}
	return json.Marshal(struct {
		Low  json.RawMessage `json:"low"`
		High json.RawMessage `json:"high"`
		Log  bool            `json:"log"`
	}{low, high, r.Log})
}

// Sampler is how trials get their parameters.
type Sampler int

// The samplers.
const (
	TPE    Sampler = Sampler(crec.REC_SAMPLER_TPE) // the tree-structured Parzen estimator: like the best of the trials so far
	Random Sampler = Sampler(crec.REC_SAMPLER_RANDOM)
	Grid   Sampler = Sampler(crec.REC_SAMPLER_GRID) // every combination, in order of the names, the last one fastest
)

// Pruner is which trials end early.
type Pruner int

// The pruners.
const (
	NoPruner      Pruner = Pruner(crec.REC_PRUNER_NONE)
	MedianPruner  Pruner = Pruner(crec.REC_PRUNER_MEDIAN)  // those below the median of the trials before
	HalvingPruner Pruner = Pruner(crec.REC_PRUNER_HALVING) // those outside the best third at epochs 1, 3, 9, ...
)

// TunerOptions are how a tuner searches; the zero value has the defaults.
type TunerOptions struct {
	Sampler   Sampler
	Pruner    Pruner
	Minimize  bool // less is better
	Seed      int64
	NTrials   int    // 0 = 50; of a grid, all combinations
	Parallel  int    // how many run at a time, the size of a round; 0 = 1
	MinEpochs int    // no trial is pruned before this epoch; 0 = 1
	Journal   string // a file to which all that happens is appended; if it is there already, the search goes on from it
}

// Tuner is a search for good parameters: it proposes trials; the caller runs each, with a [Trainer] or anything else, and tells
// how it went. Trial i is in round i / Parallel. What a trial gets, and whether it is pruned, depends on the seed and on the
// results of earlier rounds only. Any number of goroutines may call.
type Tuner struct {
	h handle[crec.Tuner]
}

// Trial is what a tuner asks for. Parameters can be given to [Params]: int64, float64, string, bool, or lists of them.
type Trial struct {
	Number     int64
	Parameters map[string]any
}

// TrialState is how a trial has ended.
type TrialState int

// The states of a trial.
const (
	TrialRunning  TrialState = TrialState(crec.REC_TRIAL_RUNNING)
	TrialComplete TrialState = TrialState(crec.REC_TRIAL_COMPLETE)
	TrialPruned   TrialState = TrialState(crec.REC_TRIAL_PRUNED)
	TrialFailed   TrialState = TrialState(crec.REC_TRIAL_FAILED)
)

// NewTuner is a search that has not begun, or the one of the journal. The space has a list of choices or a [Range] for each
// parameter. Fails with ErrInvalidArgument (the space or an option; a journal of another search, with what differs),
// ErrUnsupported (a grid over floats), ErrBusy (the journal is open elsewhere), ErrCorruptData (the journal).
func NewTuner(space map[string]any, options TunerOptions) (*Tuner, error) {
	encoded, err := json.Marshal(space)
	if err != nil {
		return nil, invalid("space", "%v", err)
	}
	if err := errors.Join(text("space", string(encoded)), text("journal_path", options.Journal)); err != nil {
		return nil, err
	}
	raw := crec.NewRecTunerOptionsT()
	defer crec.DeleteRecTunerOptionsT(raw)
	raw.SetSampler(int(options.Sampler))
	raw.SetPruner(int(options.Pruner))
	raw.SetMinimize(number(options.Minimize))
	raw.SetSeed(options.Seed)
	raw.SetNTrials(int64(options.NTrials))
	raw.SetParallel(int64(options.Parallel))
	raw.SetMinEpochs(int64(options.MinEpochs))
	raw.SetJournalPath(options.Journal)
	var made crec.Tuner
	if err := crec.RecTunerCreate(string(encoded), raw, &made); err != nil {
		return nil, failed(err)
	}
	t := &Tuner{}
	t.h.open("Tuner", made, crec.RecTunerDestroy)
	return t, nil
}

// Ask is the next trial, nil when there are no more; ErrBadState if it is of the next round, and not all trials of this one
// have ended.
func (t *Tuner) Ask() (*Trial, error) {
	trial := &Trial{}
	var encoded string
	if err := t.h.call(func(h crec.Tuner) error { return crec.RecTunerAsk(h, &trial.Number, &encoded) }); err != nil {
		return nil, err
	}
	if trial.Number < 0 {
		return nil, nil
	}
	var err error
	trial.Parameters, err = parameters(encoded)
	return trial, err
}

// Report is the value of a running trial after an epoch, from 1; whether it should end, and be told as TrialPruned.
func (t *Tuner) Report(trial *Trial, epoch int, value float64) (prune bool, err error) {
	var answer int32
	err = t.h.call(func(h crec.Tuner) error {
		return crec.RecTunerReport(h, trial.Number, int64(epoch), value, &answer)
	})
	return answer != 0, err
}

// Tell is the end of a complete trial.
func (t *Tuner) Tell(trial *Trial, value float64) error {
	return t.tell(trial, TrialComplete, value, "")
}

// TellEnd is the end of a trial that was pruned or has failed, with the reason or "".
func (t *Tuner) TellEnd(trial *Trial, state TrialState, message string) error {
	return t.tell(trial, state, 0, message)
}

func (t *Tuner) tell(trial *Trial, state TrialState, value float64, message string) error {
	if err := text("message", message); err != nil {
		return err
	}
	return t.h.call(func(h crec.Tuner) error {
		return crec.RecTunerTell(h, trial.Number, int(state), value, message)
	})
}

// Describe is the table as JSON: space, options, best (a number or null), and trials with parameters, state, value, values and
// message.
func (t *Tuner) Describe() (json.RawMessage, error) {
	var table string
	err := t.h.call(func(h crec.Tuner) error { return crec.RecTunerDescribe(h, &table) })
	return json.RawMessage(table), err
}

// Close ends the tuner and closes its journal. It never fails.
func (t *Tuner) Close() error {
	if t == nil {
		return nil
	}
	return t.h.close()
}

// parameters reads a flat object, whose whole numbers stay whole.
func parameters(encoded string) (map[string]any, error) {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal([]byte(encoded), &raw); err != nil {
		return nil, err
	}
	values := make(map[string]any, len(raw))
	for name, text := range raw {
		var whole int64
		if json.Unmarshal(text, &whole) == nil {
			values[name] = whole
			continue
		}
		var value any
		if err := json.Unmarshal(text, &value); err != nil {
			return nil, err
		}
		values[name] = value
	}
	return values, nil
}
