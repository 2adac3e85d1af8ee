// Package crec is the raw layer: crec.go is SWIG's (bindings/swig/go.i), this file has what SWIG cannot express. Handles
// are not checked and nothing is closed here; package recore does that.
package crec

/*
#cgo pkg-config: recore
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"runtime/cgo"
	"unsafe"
)

// Failure is why a call failed; Line and ByteOffset are -1 if unknown.
type Failure struct {
	Code                    int32
	Message, Argument, File string
	Line, ByteOffset        int64
}

func (f *Failure) Error() string { return f.Message }

// take copies a failure and ends it; nil is success.
func take(failure *C.rec_go_failure_t) error {
	if failure == nil {
		return nil
	}
	defer C.rec_go_failure_end(failure)
	f := &failure.what
	return &Failure{
		int32(f.status), C.GoString(f.message), C.GoString(f.argument), C.GoString(f.file), int64(f.line), int64(f.byte_offset),
	}
}

func takeFailure(number int64) error {
	if number == 0 {
		return nil
	}
	return take(C.rec_go_failure(C.int64_t(number)))
}

func takeHandle(made C.rec_go_handle_t) (uintptr, error) {
	return uintptr(made.handle), take(made.failure)
}

func takeText(text uintptr) string {
	if text == 0 {
		return ""
	}
	defer C.rec_go_text_end(C.uintptr_t(text))
	return C.GoString(C.rec_go_text(C.uintptr_t(text)))
}

// IDs is a list of ids; type 0 means that no list is given. Id i of REC_ID_BYTES is Bytes[Offsets[i]:Offsets[i+1]].
type IDs struct {
	Type    int
	Int64   []int64
	Bytes   []byte
	Offsets []int64
}

// Len is the number of ids.
func (ids *IDs) Len() int {
	if ids.Type == REC_ID_BYTES {
		return len(ids.Offsets) - 1
	}
	return len(ids.Int64)
}

func int64s(s []int64) *C.int64_t   { return (*C.int64_t)(unsafe.Pointer(unsafe.SliceData(s))) }
func int32s(s []int32) *C.int32_t   { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(s))) }
func floats(s []float32) *C.float   { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }
func doubles(s []float64) *C.double { return (*C.double)(unsafe.Pointer(unsafe.SliceData(s))) }
func chars(s []byte) *C.char        { return (*C.char)(unsafe.Pointer(unsafe.SliceData(s))) }
func octets(s []byte) *C.uint8_t    { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(s))) }
func count[T any](s []T) C.int64_t  { return C.int64_t(len(s)) }
func idType(ids *IDs) C.int32_t     { return C.int32_t(ids.Type) }
func nIDs(ids *IDs) C.int64_t       { return C.int64_t(ids.Len()) }
func swigptr(v interface{ Swigcptr() uintptr }) C.uintptr_t {
	if v == nil {
		return 0
	}
	return C.uintptr_t(v.Swigcptr())
}

// Columns are interactions, all of equal length or nil.
type Columns struct {
	Users, Items       IDs
	Times              []int64
	Weights            []float32
	Parts              []int32
	Labels             []float32
	Impressions        []int64
	TitleItems, Titles IDs
	MoreUsers          IDs
	MoreItems          IDs
	TimeUnit           int32
	MemoryLimitBytes   int64
}

// DatasetCreate copies the columns.
func DatasetCreate(c *Columns, run Run) (Dataset, error) {
	made, err := takeHandle(C.rec_go_dataset_create(
		idType(&c.Users), int64s(c.Users.Int64), chars(c.Users.Bytes), count(c.Users.Bytes), int64s(c.Users.Offsets), nIDs(&c.Users),
		idType(&c.Items), int64s(c.Items.Int64), chars(c.Items.Bytes), count(c.Items.Bytes), int64s(c.Items.Offsets), nIDs(&c.Items),
		int64s(c.Times), count(c.Times), floats(c.Weights), count(c.Weights), int32s(c.Parts), count(c.Parts),
		floats(c.Labels), count(c.Labels), int64s(c.Impressions), count(c.Impressions),
		idType(&c.TitleItems), int64s(c.TitleItems.Int64), chars(c.TitleItems.Bytes), count(c.TitleItems.Bytes), int64s(c.TitleItems.Offsets),
		nIDs(&c.TitleItems),
		idType(&c.Titles), int64s(c.Titles.Int64), chars(c.Titles.Bytes), count(c.Titles.Bytes), int64s(c.Titles.Offsets), nIDs(&c.Titles),
		idType(&c.MoreUsers), int64s(c.MoreUsers.Int64), chars(c.MoreUsers.Bytes), count(c.MoreUsers.Bytes), int64s(c.MoreUsers.Offsets),
		nIDs(&c.MoreUsers),
		idType(&c.MoreItems), int64s(c.MoreItems.Int64), chars(c.MoreItems.Bytes), count(c.MoreItems.Bytes), int64s(c.MoreItems.Offsets),
		nIDs(&c.MoreItems),
		C.int32_t(c.TimeUnit), C.int64_t(c.MemoryLimitBytes), C.uintptr_t(run)))
	return Dataset(made), err
}

// ListsEvaluate measures lists without a model; gains may be nil.
func ListsEvaluate(ranked *IDs, rankedOffsets []int64, truth *IDs, truthOffsets []int64, gains []float32, metrics string) (Report, error) {
	names := C.CString(metrics)
	defer C.free(unsafe.Pointer(names))
	made, err := takeHandle(C.rec_go_lists_evaluate(
		idType(ranked), int64s(ranked.Int64), chars(ranked.Bytes), count(ranked.Bytes), int64s(ranked.Offsets), nIDs(ranked),
		int64s(rankedOffsets), count(rankedOffsets),
		idType(truth), int64s(truth.Int64), chars(truth.Bytes), count(truth.Bytes), int64s(truth.Offsets), nIDs(truth),
		int64s(truthOffsets), count(truthOffsets), floats(gains), count(gains), names))
	return Report(made), err
}

// Event is a copy of what a long call reports.
type Event struct {
	Kind                            int
	Epoch, NEpochs, Batch, NBatches int64
	Loss, TrainSeconds, EvalSeconds float64
	MetricNames                     []string
	MetricValues                    []float64
	IsBest                          bool
}

type listener struct {
	onEvent  func(Event) bool
	panicked any
}

// Run is how a long call runs: a struct in C memory; 0 means the defaults.
type Run uintptr

// NewRun makes a Run and a function that ends it. onEvent, which may be nil, runs on a thread inside the library and stops
// the call by returning false. A panic in it stops the call too, and continues in end.
func NewRun(onEvent func(Event) bool, cancel Cancel, threads, isolation int) (run Run, end func()) {
	if onEvent == nil {
		run = Run(C.rec_go_run_create(0, C.uintptr_t(cancel), C.int32_t(threads), C.int32_t(isolation)))
		return run, func() { C.rec_go_run_end(C.uintptr_t(run)) }
	}
	l := &listener{onEvent: onEvent}
	handle := cgo.NewHandle(l)
	run = Run(C.rec_go_run_create(C.uintptr_t(handle), C.uintptr_t(cancel), C.int32_t(threads), C.int32_t(isolation)))
	return run, func() {
		C.rec_go_run_end(C.uintptr_t(run))
		handle.Delete()
		if l.panicked != nil {
			panic(l.panicked)
		}
	}
}

//export recoreGoEvent
func recoreGoEvent(event *C.rec_event_t, callback C.uintptr_t) (status C.int32_t) {
	if event.kind == C.REC_EVENT_TICK {
		return C.REC_OK // a context is watched by its token
	}
	l := cgo.Handle(callback).Value().(*listener)
	status = C.REC_CANCELLED
	defer func() {
		if p := recover(); p != nil { // nothing may unwind through C
			l.panicked, status = p, C.REC_CANCELLED
		}
	}()
	e := Event{
		Kind: int(event.kind), Epoch: int64(event.epoch), NEpochs: int64(event.n_epochs), Batch: int64(event.batch),
		NBatches: int64(event.n_batches), Loss: float64(event.loss), TrainSeconds: float64(event.train_seconds),
		EvalSeconds: float64(event.eval_seconds), IsBest: event.is_best != 0,
	}
	if n := int(event.n_metrics); n > 0 {
		for i, name := range unsafe.Slice(event.metric_names, n) {
			e.MetricNames = append(e.MetricNames, C.GoString(name))
			e.MetricValues = append(e.MetricValues, float64(unsafe.Slice(event.metric_values, n)[i]))
		}
	}
	if l.onEvent(e) {
		status = C.REC_OK
	}
	return status
}

// LogOpen sends lines of this level and above to sink, which must not call the library; nil stops them.
func LogOpen(level int, sink func(level int, message string)) error {
	if sink == nil {
		return take(C.rec_go_log_open(C.int32_t(level), 0))
	}
	handle := cgo.NewHandle(sink)
	err := take(C.rec_go_log_open(C.int32_t(level), C.uintptr_t(handle)))
	if err != nil {
		handle.Delete()
	}
	return err
}

// LogPoll delivers waiting lines here and counts those that were lost.
func LogPoll() (dropped int64, err error) {
	var lost C.int64_t
	err = take(C.rec_go_log_poll(&lost))
	return int64(lost), err
}

//export recoreGoLog
func recoreGoLog(level C.int32_t, message *C.char, callback C.uintptr_t) {
	defer func() { _ = recover() }() // nothing may unwind through C
	cgo.Handle(callback).Value().(func(int, string))(int(level), C.GoString(message))
}

//export recoreGoLogEnd
func recoreGoLogEnd(callback C.uintptr_t) { cgo.Handle(callback).Delete() }

// ReportMetric is a metric's full name, mean and standard error.
func ReportMetric(r Report, metric int) (string, float64, float64, error) {
	m := C.rec_go_report_metric(C.uintptr_t(r), C.int64_t(metric))
	if m.failure != nil {
		return "", 0, 0, take(m.failure)
	}
	return C.GoString(m.name), float64(m.mean), float64(m.standard_error), nil
}

// ReportRows fills the values [nMetrics, nRows], the user rows and the interactions [nRows].
func ReportRows(r Report, values []float64, users, interactions []int64) error {
	return take(C.rec_go_report_rows(C.uintptr_t(r), doubles(values), count(values), int64s(users), count(users),
		int64s(interactions), count(interactions)))
}

// ReportOffsets fills the offsets [nRows + 1] of the lists.
func ReportOffsets(r Report, offsets []int64) error {
	return take(C.rec_go_report_offsets(C.uintptr_t(r), int64s(offsets), count(offsets)))
}

// ReportLists fills what the lists have, each as long as their last offset.
func ReportLists(r Report, items []int64, scores []float32, relevant []int32) error {
	return take(C.rec_go_report_lists(C.uintptr_t(r), int64s(items), count(items), floats(scores), count(scores),
		int32s(relevant), count(relevant)))
}

// What a row stands for, and what is wanted of it.
const (
	ItemIDs    = C.REC_GO_ITEM_IDS
	UserIDs    = C.REC_GO_USER_IDS
	ItemTitles = C.REC_GO_ITEM_TITLES
)

// ModelIDs copies the ids or titles of rows.
func ModelIDs(m Model, what int, rows []int64) (IDs, error) {
	return copied(C.rec_go_model_ids(C.uintptr_t(m), C.int32_t(what), int64s(rows), C.int64_t(len(rows))), len(rows))
}

// DatasetIDs copies the ids of rows; what is ItemIDs or UserIDs.
func DatasetIDs(d Dataset, what int, rows []int64) (IDs, error) {
	return copied(C.rec_go_dataset_ids(C.uintptr_t(d), C.int32_t(what), int64s(rows), C.int64_t(len(rows))), len(rows))
}

func copied(lent C.rec_go_ids_t, n int) (IDs, error) {
	if lent.failure != nil {
		return IDs{}, take(lent.failure)
	}
	defer C.rec_go_text_end(lent.owner)
	ids := IDs{Type: int(lent._type)}
	if ids.Type == REC_ID_INT64 {
		ids.Int64 = append(make([]int64, 0, n), unsafe.Slice((*int64)(unsafe.Pointer(lent.i64)), n)...)
		return ids, nil
	}
	ids.Offsets = append(make([]int64, 0, n+1), unsafe.Slice((*int64)(unsafe.Pointer(lent.offsets)), n+1)...)
	end := ids.Offsets[n]
	ids.Bytes = append(make([]byte, 0, end+1), unsafe.Slice((*byte)(unsafe.Pointer(lent.bytes)), end)...)
	return ids, nil
}

// ModelRows fills rows [n] of ids, -1 for an unknown one; what is ItemIDs or UserIDs.
func ModelRows(m Model, what int, ids *IDs, rows []int64) error {
	return take(C.rec_go_model_rows(C.uintptr_t(m), C.int32_t(what), idType(ids), int64s(ids.Int64), chars(ids.Bytes),
		count(ids.Bytes), int64s(ids.Offsets), nIDs(ids), int64s(rows), count(rows)))
}

// ModelVectors copies the vectors [n, d] of ItemIDs or UserIDs.
func ModelVectors(m Model, what int) (data []float32, n, d int, err error) {
	v := C.rec_go_model_vectors(C.uintptr_t(m), C.int32_t(what))
	if v.failure != nil {
		return nil, 0, 0, take(v.failure)
	}
	defer C.rec_flat_matrix_end(v.owner)
	matrix := &v.matrix
	data = append(data, unsafe.Slice((*float32)(unsafe.Pointer(matrix.data)), matrix.n*matrix.d)...)
	return data, int(matrix.n), int(matrix.d), nil
}

// ModelLoadBytes reads a model file from memory, which is copied.
func ModelLoadBytes(data []byte, memoryLimitBytes int64, run Run) (Model, error) {
	made, err := takeHandle(C.rec_go_model_load_bytes(chars(data), C.int64_t(len(data)), C.int64_t(memoryLimitBytes),
		C.uintptr_t(run)))
	return Model(made), err
}

// Request says who asks and for what.
type Request struct {
	K                          int
	Users, History, Candidates IDs
	HistoryLists, HistoryTimes []int64
	Times, CandidateLists      []int64
	Allow, Deny                []byte
}

// TopK fills rows and scores [n, k] and status [n].
func TopK(r Recommender, q *Request, rows []int64, scores []float32, status []int32) error {
	return take(C.rec_go_top_k(C.uintptr_t(r), C.int64_t(q.K),
		idType(&q.Users), int64s(q.Users.Int64), chars(q.Users.Bytes), count(q.Users.Bytes), int64s(q.Users.Offsets), nIDs(&q.Users),
		idType(&q.History), int64s(q.History.Int64), chars(q.History.Bytes), count(q.History.Bytes), int64s(q.History.Offsets),
		nIDs(&q.History), int64s(q.HistoryLists), count(q.HistoryLists), int64s(q.HistoryTimes), count(q.HistoryTimes),
		int64s(q.Times), count(q.Times),
		idType(&q.Candidates), int64s(q.Candidates.Int64), chars(q.Candidates.Bytes), count(q.Candidates.Bytes), int64s(q.Candidates.Offsets),
		nIDs(&q.Candidates), int64s(q.CandidateLists), count(q.CandidateLists),
		octets(q.Allow), count(q.Allow), octets(q.Deny), count(q.Deny),
		int64s(rows), count(rows), floats(scores), count(scores), int32s(status), count(status)))
}

// Recommend is TopK for users only.
func Recommend(r Recommender, k int, users *IDs, rows []int64, scores []float32, status []int32) error {
	return take(C.rec_go_recommend(C.uintptr_t(r), C.int64_t(k), idType(users), int64s(users.Int64), chars(users.Bytes),
		count(users.Bytes), int64s(users.Offsets), nIDs(users), int64s(rows), count(rows), floats(scores), count(scores), int32s(status),
		count(status)))
}

// Score fills scores, one for each candidate of each user, and status [n].
func Score(r Recommender, q *Request, scores []float32, status []int32) error {
	return take(C.rec_go_score(C.uintptr_t(r),
		idType(&q.Users), int64s(q.Users.Int64), chars(q.Users.Bytes), count(q.Users.Bytes), int64s(q.Users.Offsets), nIDs(&q.Users),
		idType(&q.History), int64s(q.History.Int64), chars(q.History.Bytes), count(q.History.Bytes), int64s(q.History.Offsets),
		nIDs(&q.History), int64s(q.HistoryLists), count(q.HistoryLists), int64s(q.HistoryTimes), count(q.HistoryTimes),
		int64s(q.Times), count(q.Times),
		idType(&q.Candidates), int64s(q.Candidates.Int64), chars(q.Candidates.Bytes), count(q.Candidates.Bytes), int64s(q.Candidates.Offsets),
		nIDs(&q.Candidates), int64s(q.CandidateLists), count(q.CandidateLists), floats(scores), count(scores),
		int32s(status), count(status)))
}

// Similar fills rows and scores [n, k] and status [n] with items like those given, or with users where ofUsers is 1; allow and deny may be nil.
func Similar(r Recommender, ofUsers int, given *IDs, k int, allow, deny []byte, rows []int64, scores []float32, status []int32) error {
	return take(C.rec_go_similar(C.uintptr_t(r), C.int32_t(ofUsers), idType(given), int64s(given.Int64), chars(given.Bytes),
		count(given.Bytes), int64s(given.Offsets), nIDs(given), C.int64_t(k),
		octets(allow), count(allow), octets(deny), count(deny), int64s(rows), count(rows), floats(scores), count(scores),
		int32s(status), count(status)))
}
