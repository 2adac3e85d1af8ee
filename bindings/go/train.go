package recore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"recore/internal/crec"
)

// Event is what training reports. Loss is the mean of the epoch so far, NaN for a model without one.
type Event struct {
	Kind            EventKind
	Epoch, NEpochs  int // from 1
	Batch, NBatches int
	Loss            float64
	TrainTime       time.Duration // of this epoch
	EvalTime        time.Duration
	Metrics         map[string]float64 // of an epoch with an evaluation
	IsBest          bool               // this epoch is the best so far
}

// EventKind is what happened.
type EventKind int

// The kinds of events.
const (
	StartEvent      EventKind = EventKind(crec.REC_EVENT_START)      // before the first batch
	ProgressEvent   EventKind = EventKind(crec.REC_EVENT_PROGRESS)   // within an epoch, at most every 100 ms
	EpochEvent      EventKind = EventKind(crec.REC_EVENT_EPOCH)      // an epoch and its evaluation are done
	CheckpointEvent EventKind = EventKind(crec.REC_EVENT_CHECKPOINT) // a checkpoint is on disk
)

type training struct {
	params     map[string]any
	raw        crec.RecTrainerOptionsT
	protocol   Protocol
	warmStarts []*Model
	onEvent    func(Event) error
	onEpoch    func(Event) error
}

// TrainOption is a parameter or a way of training.
type TrainOption struct {
	apply func(*training) error
}

// Set sets a parameter of the model or of the loop, see [DescribePlugin]: a number, a text, a bool or a short list.
func Set(name string, value any) TrainOption {
	return TrainOption{func(t *training) error { t.params[name] = value; return nil }}
}

// Params sets several parameters.
func Params(params map[string]any) TrainOption {
	return TrainOption{func(t *training) error {
		for name, value := range params {
			t.params[name] = value
		}
		return nil
	}}
}

// Epochs is the number of passes over the data.
func Epochs(n int) TrainOption { return Set("epochs", n) }

// Seed is the seed of every random choice.
func Seed(seed int64) TrainOption { return Set("seed", seed) }

// OnEpoch is called after each epoch, on the goroutine that trains. Training waits for it. [Stop] ends training early;
// any other error ends it too and is returned wrapped. It may use anything but the trainer.
func OnEpoch(f func(Event) error) TrainOption {
	return TrainOption{func(t *training) error { t.onEpoch = f; return nil }}
}

// OnEvent is called for every event, like OnEpoch.
func OnEvent(f func(Event) error) TrainOption {
	return TrainOption{func(t *training) error { t.onEvent = f; return nil }}
}

// Metrics are evaluated on the valid part after each eval_every epochs: "ndcg@20,recall@20". The first, or main when it is
// not "", decides the best epoch and patience.
func Metrics(metrics, main string) TrainOption {
	return TrainOption{func(t *training) error {
		t.raw.SetMetrics(metrics)
		if main != "" {
			t.raw.SetMainMetric(main)
		}
		return errors.Join(text("metrics", metrics), text("main_metric", main))
	}}
}

// EvaluateBy is the protocol of these evaluations; its part is ignored, its rows default to the task's.
func EvaluateBy(protocol Protocol) TrainOption {
	return TrainOption{func(t *training) error { t.protocol = protocol; return nil }}
}

// Checkpoint writes a checkpoint at most once per interval (0 = 30 s) and at the end; the last but one is path.prev.
func Checkpoint(path string, every time.Duration) TrainOption {
	return TrainOption{func(t *training) error {
		t.raw.SetCheckpointPath(path)
		t.raw.SetCheckpointSeconds(every.Seconds())
		return text("checkpoint_path", path)
	}}
}

// CheckpointBatches also writes one after this number of batches.
func CheckpointBatches(n int64) TrainOption {
	return TrainOption{func(t *training) error { t.raw.SetCheckpointBatches(n); return nil }}
}

// Resume continues from the checkpoint if there is one.
func Resume() TrainOption {
	return TrainOption{func(t *training) error { t.raw.SetResume(1); return nil }}
}

// WarmStart begins with what a model of the same users and items has learnt; may be given for several.
func WarmStart(model *Model) TrainOption {
	return TrainOption{func(t *training) error { t.warmStarts = append(t.warmStarts, model); return nil }}
}

// TrainMemoryLimit makes training that would need more an ErrLimit.
func TrainMemoryLimit(bytes int64) TrainOption {
	return TrainOption{func(t *training) error { t.raw.SetMemoryLimitBytes(bytes); return nil }}
}

// Isolation is where a plugin runs.
type Isolation int

// The kinds of isolation.
const (
	AutoIsolation    Isolation = Isolation(crec.REC_ISOLATION_AUTO)       // a plugin over LibTorch in a worker process
	InProcess        Isolation = Isolation(crec.REC_ISOLATION_IN_PROCESS) // in this one
	ProcessIsolation Isolation = Isolation(crec.REC_ISOLATION_PROCESS)    // in a worker, whose crash is an ErrPluginFailed
)

// Isolate says where the plugin runs; the default is [AutoIsolation].
func Isolate(isolation Isolation) TrainOption {
	return TrainOption{func(t *training) error { t.raw.SetIsolation(int(isolation)); return nil }}
}

// Train trains a model and returns its best epoch.
//
// When the context or a callback's error ends training, Train returns an error and, if an epoch was finished, the model of
// the last one: errors.Is(err, context.Canceled) and model != nil.
func Train(ctx context.Context, dataset *Dataset, model string, options ...TrainOption) (*Model, error) {
	if ctx.Err() != nil {
		return nil, cancelled(ctx, &Error{Code: CodeCancelled, Message: "cancelled before training began"})
	}
	trainer, err := NewTrainer(ctx, dataset, model, options...)
	if err != nil {
		return nil, err
	}
	defer trainer.Close()
	if err := trainer.Run(ctx); err != nil {
		last, _ := trainer.Model(LastEpoch)
		return last, err
	}
	return trainer.Model(BestEpoch)
}

// Trainer is one model in training over one data set. One call at a time; a second one is ErrBusy.
type Trainer struct {
	h       handle[crec.Trainer]
	name    string // of the model, with the parameters
	onEvent func(Event) error
	onEpoch func(Event) error
}

// NewTrainer checks the parameters but does not start training. Fails with ErrNotFound (unknown model), ErrInvalidArgument (a
// parameter unknown or out of range; Argument names it), ErrUnsupported, ErrInvalidData (no training interaction),
// ErrDevice, ErrLimit, ErrCorruptData (a checkpoint), or the context's error.
func NewTrainer(ctx context.Context, dataset *Dataset, model string, options ...TrainOption) (*Trainer, error) {
	given, params, err := readTraining(model, options)
	if err != nil {
		return nil, err
	}
	defer crec.DeleteRecTrainerOptionsT(given.raw)
	protocol := given.protocol.raw()
	defer crec.DeleteRecProtocolT(protocol)
	given.raw.SetProtocol(protocol)
	var raw crec.Trainer
	err = dataset.h.longCall(ctx, how{}, func(data crec.Dataset, run crec.Run) error {
		return crec.RecTrainerCreate(data, model, params, given.raw, run, &raw)
	})
	if err != nil {
		return nil, err
	}
	t := &Trainer{name: strings.TrimSuffix(model+" "+params, " {}"), onEvent: given.onEvent, onEpoch: given.onEpoch}
	t.h.open("Trainer", raw, crec.RecTrainerDestroy)
	for _, from := range given.warmStarts {
		if err := t.WarmStart(from); err != nil {
			t.Close()
			return nil, err
		}
	}
	return t, nil
}

// CheckTraining fails as NewTrainer would for these options, without data: for an unknown model, parameter or metric.
func CheckTraining(model string, options ...TrainOption) error {
	given, params, err := readTraining(model, options)
	if err != nil {
		return err
	}
	defer crec.DeleteRecTrainerOptionsT(given.raw)
	return failed(crec.RecTrainerCheck(model, params, given.raw))
}

// readTraining applies the options; the caller ends raw.
func readTraining(model string, options []TrainOption) (given *training, params string, err error) {
	given = &training{params: map[string]any{}, raw: crec.NewRecTrainerOptionsT()}
	defer func() {
		if err != nil {
			crec.DeleteRecTrainerOptionsT(given.raw)
		}
	}()
	for _, option := range options {
		if err := option.apply(given); err != nil {
			return given, "", err
		}
	}
	if params, err = toJSON(given.params); err != nil {
		return given, "", err
	}
	return given, params, errors.Join(text("model", model), text("params", params))
}

// Close ends the trainer. It never fails.
func (t *Trainer) Close() error {
	if t == nil {
		return nil
	}
	return t.h.close()
}

// String is the model and its parameters, for logs; for a closed trainer, the error.
func (t *Trainer) String() string {
	if err := t.h.call(func(crec.Trainer) error { return nil }); err != nil {
		return err.Error()
	}
	return "Trainer " + t.name
}

// WarmStart begins with what a model of the same users and items has learnt, before the first run; ErrInvalidArgument if
// the model has different users or items, or nothing usable.
func (t *Trainer) WarmStart(model *Model) error {
	return t.h.call(func(h crec.Trainer) error {
		return model.h.call(func(from crec.Model) error { return crec.RecTrainerWarmStart(h, from) })
	})
}

// Run trains until the last epoch, until patience runs out, or until the context or a callback ends it; it may then be
// called again. A callback that returned Stop is not an error. A panic of a callback continues in the caller once the
// library has returned.
func (t *Trainer) Run(ctx context.Context) error {
	if t.onEvent == nil && t.onEpoch == nil {
		return t.run(ctx, nil)
	}

	// The call is made by another goroutine, so that callbacks run on this one, with no C frame below them.
	events, answers := make(chan crec.Event), make(chan bool)
	done, gone := make(chan error, 1), make(chan struct{})
	go func() {
		done <- t.run(ctx, func(event crec.Event) bool {
			select {
			case events <- event:
				return <-answers
			case <-gone:
				return false
			}
		})
	}()
	var refused error
	answered := true
	defer func() { // a callback that panicked, or ended its goroutine: the call is over before this one is
		if !answered {
			answers <- false
			close(gone)
			<-done
		}
	}()
	for {
		select {
		case event := <-events:
			answered = false
			if refused == nil {
				refused = t.answer(event)
			}
			answered = true
			answers <- refused == nil && ctx.Err() == nil
		case err := <-done:
			switch {
			case refused == nil:
				return err
			case errors.Is(refused, Stop):
				var other *Error // a checkpoint that could not be written, say
				if errors.As(err, &other) && other.Code != CodeCancelled {
					return err
				}
				return nil
			}
			return fmt.Errorf("recore: training stopped by a callback: %w", refused)
		}
	}
}

func (t *Trainer) run(ctx context.Context, onEvent func(crec.Event) bool) error {
	return t.h.longCall(ctx, how{onEvent: onEvent}, crec.RecTrainerRun)
}

func (t *Trainer) answer(raw crec.Event) error {
	if t.onEvent == nil && raw.Kind != crec.REC_EVENT_EPOCH {
		return nil
	}
	event := Event{
		Kind: EventKind(raw.Kind), Epoch: int(raw.Epoch), NEpochs: int(raw.NEpochs), Batch: int(raw.Batch),
		NBatches: int(raw.NBatches), Loss: raw.Loss, TrainTime: seconds(raw.TrainSeconds),
		EvalTime: seconds(raw.EvalSeconds), Metrics: make(map[string]float64, len(raw.MetricNames)), IsBest: raw.IsBest,
	}
	for i, name := range raw.MetricNames {
		event.Metrics[name] = raw.MetricValues[i]
	}
	if t.onEvent != nil {
		if err := t.onEvent(event); err != nil {
			return err
		}
	}
	if t.onEpoch != nil && event.Kind == EpochEvent {
		return t.onEpoch(event)
	}
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// Which says which epoch's model.
type Which int

// The models that a trainer has.
const (
	BestEpoch Which = Which(crec.REC_MODEL_BEST) // by the main metric; the last when nothing was evaluated
	LastEpoch Which = Which(crec.REC_MODEL_LAST)
	Initial   Which = Which(crec.REC_MODEL_INITIAL) // what training starts from; only before the first epoch
)

// Model returns the model of a finished epoch or, before the first, the initial one. It fails with ErrBadState when the
// trainer does not have that model.
func (t *Trainer) Model(which Which) (*Model, error) {
	var raw crec.Model
	err := t.h.call(func(h crec.Trainer) error { return crec.RecTrainerCreateModel(h, int(which), 0, &raw) })
	return newModel(raw, err)
}

func toJSON(params map[string]any) (string, error) {
	for name, value := range params {
		if _, err := json.Marshal(value); err != nil {
			return "", invalid(name, "must be a number, a text, a bool or a short list of them, got %v", value)
		}
	}
	encoded, err := json.Marshal(params)
	return string(encoded), err
}
