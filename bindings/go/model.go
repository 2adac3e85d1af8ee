package recore

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"recore/internal/crec"
)

// Model is a trained model.
type Model struct {
	h       handle[crec.Model]
	catalog func() (*catalog, error)
}

// catalog is the item ids of a model, in the order of rows: what turns rows into ids without a call or an allocation.
type catalog struct {
	ids  IDs
	name string // with the counts
}

func (c *catalog) at(row int64) ID {
	if row < 0 {
		return ID{}
	}
	return c.ids.view(int(row))
}

func newModel(raw crec.Model, err error) (*Model, error) {
	if err != nil {
		return nil, err
	}
	m := new(Model)
	m.h.open("Model", raw, crec.RecModelDestroy)
	m.catalog = sync.OnceValues(func() (*catalog, error) {
		ids, err := m.ItemIDs(nil)
		return &catalog{ids, strings.TrimPrefix(m.String(), "Model ")}, err
	})
	return m, nil
}

// Close ends the model; recommenders keep what they need. It never fails.
func (m *Model) Close() error {
	if m == nil {
		return nil
	}
	return m.h.close()
}

// Load opens a model file. The file is data, never code, and every byte is checked. Fails with
// ErrNotFound, ErrIO, ErrCorruptData (with the byte offset), ErrUnsupported (another version), ErrLimit.
func Load(ctx context.Context, path string, options ...ModelOption) (*Model, error) {
	if err := text("path", path); err != nil {
		return nil, err
	}
	o := crec.NewRecLoadOptionsT()
	defer crec.DeleteRecLoadOptionsT(o)
	o.SetMemoryLimitBytes(limitOf(options))
	return newModel(made(ctx, func(run crec.Run, out *crec.Model) error { return crec.RecModelLoad(path, o, run, out) }))
}

// LoadBytes opens a model file in memory, which is copied.
func LoadBytes(ctx context.Context, data []byte, options ...ModelOption) (*Model, error) {
	return newModel(made(ctx, func(run crec.Run, out *crec.Model) (err error) {
		*out, err = crec.ModelLoadBytes(data, limitOf(options), run)
		return err
	}))
}

// ModelOption says how a model is loaded.
type ModelOption struct {
	apply func(limit *int64)
}

// ModelMemoryLimit makes a model that would need more an ErrLimit.
func ModelMemoryLimit(bytes int64) ModelOption {
	return ModelOption{func(limit *int64) { *limit = bytes }}
}

func limitOf(options []ModelOption) (limit int64) {
	for _, option := range options {
		option.apply(&limit)
	}
	return limit
}

// Save writes one file; an older one stays intact until the new one is complete.
func (m *Model) Save(ctx context.Context, path string) error { return m.save(ctx, path, false) }

// SaveWithoutUserData leaves out seen items and histories.
func (m *Model) SaveWithoutUserData(ctx context.Context, path string) error {
	return m.save(ctx, path, true)
}

func (m *Model) save(ctx context.Context, path string, noUserData bool) error {
	if err := text("path", path); err != nil {
		return err
	}
	o := crec.NewRecSaveOptionsT()
	defer crec.DeleteRecSaveOptionsT(o)
	o.SetNoUserData(number(noUserData))
	return m.h.longCall(ctx, how{}, func(h crec.Model, run crec.Run) error { return crec.RecModelSave(h, path, o, run) })
}

// ModelInfo is a model's description; JSON has all of it.
type ModelInfo struct {
	Model      string          `json:"model"`
	Parameters map[string]any  `json:"parameters"`
	NUsers     int64           `json:"n_users"`
	NItems     int64           `json:"n_items"`
	Epoch      int64           `json:"epoch"`
	JSON       json.RawMessage `json:"-"`
}

// Describe returns model, parameters, counts, metrics, sections and tensors.
func (m *Model) Describe() (*ModelInfo, error) {
	var described string
	if err := m.h.call(func(h crec.Model) error { return crec.RecModelDescribe(h, &described) }); err != nil {
		return nil, err
	}
	info := &ModelInfo{JSON: json.RawMessage(described)}
	return info, json.Unmarshal(info.JSON, info)
}

// String is the name and the counts, for logs; for a closed model, the error.
func (m *Model) String() string {
	info, err := m.Describe()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("Model %s: %d users, %d items", info.Model, info.NUsers, info.NItems)
}

// Counts are the numbers of users and of items.
func (m *Model) Counts() (nUsers, nItems int, err error) {
	var users, items int64
	err = m.h.call(func(h crec.Model) error { return crec.RecModelCounts(h, &users, &items) })
	return int(users), int(items), err
}

// ItemIDs are the ids of item rows; nil means all rows in order. A row of -1 gives 0 or an empty string.
func (m *Model) ItemIDs(rows []int64) (IDs, error) { return m.idsOf(crec.ItemIDs, rows) }

// UserIDs are the ids of user rows; nil means all rows in order.
func (m *Model) UserIDs(rows []int64) (IDs, error) { return m.idsOf(crec.UserIDs, rows) }

func (m *Model) idsOf(what int, rows []int64) (ids IDs, err error) {
	if rows == nil {
		n, nItems, err := m.Counts()
		if err != nil {
			return IDs{}, err
		}
		if what != crec.UserIDs {
			n = nItems
		}
		rows = make([]int64, n)
		for i := range rows {
			rows[i] = int64(i)
		}
	}
	err = m.h.call(func(h crec.Model) (err error) {
		ids.raw, err = crec.ModelIDs(h, what, rows)
		return err
	})
	return ids, err
}

// ItemRows are the rows of items, -1 for an unknown one.
func (m *Model) ItemRows(items IDs) ([]int64, error) { return m.rowsOf(crec.ItemIDs, "items", items) }

// UserRows are the rows of users, -1 for an unknown one.
func (m *Model) UserRows(users IDs) ([]int64, error) { return m.rowsOf(crec.UserIDs, "users", users) }

func (m *Model) rowsOf(what int, name string, ids IDs) ([]int64, error) {
	if err := ids.check(name); err != nil {
		return nil, err
	}
	rows := make([]int64, ids.Len())
	return rows, m.h.call(func(h crec.Model) error { return crec.ModelRows(h, what, &ids.raw, rows) })
}

// Titles returns the titles of items, "" for an item that is unknown or has no title.
func (m *Model) Titles(items IDs) ([]string, error) {
	rows, err := m.ItemRows(items)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	titles, err := m.idsOf(crec.ItemTitles, rows)
	if err != nil {
		return nil, err
	}
	return titles.Strings(), nil
}

// Bits marks item rows, for Query.Allow and Query.Deny: bit i%8 of byte i/8 is row i.
type Bits []byte

// Bits marks these items; unknown ones have no bit.
func (m *Model) Bits(items IDs) (Bits, error) {
	rows, err := m.ItemRows(items)
	if err != nil {
		return nil, err
	}
	_, nItems, err := m.Counts()
	return bitsOf(rows, nItems), err
}

// UserBits marks users, for SimilarUsers; unknown ones have no bit.
func (m *Model) UserBits(users IDs) (Bits, error) {
	rows, err := m.UserRows(users)
	if err != nil {
		return nil, err
	}
	nUsers, _, err := m.Counts()
	return bitsOf(rows, nUsers), err
}

func bitsOf(rows []int64, n int) Bits {
	bits := make(Bits, (n+7)/8)
	for _, row := range rows {
		if row >= 0 {
			bits[row/8] |= 1 << (row % 8)
		}
	}
	return bits
}

// BitsOf marks items for each user, for Query.AllowEach and Query.DenyEach; unknown ones have no bit.
func (m *Model) BitsOf(lists [][]ID) ([]Bits, error) {
	each := make([]Bits, len(lists))
	for i, list := range lists {
		bits, err := m.Bits(IDsOf(list...))
		if err != nil {
			return nil, err
		}
		each[i] = bits
	}
	return each, nil
}

// Vectors is a copy of a matrix of the model, row-major.
type Vectors struct {
	Data []float32
	N, D int
}

// Row is vector i.
func (v *Vectors) Row(i int) []float32 { return v.Data[i*v.D : (i+1)*v.D : (i+1)*v.D] }

// ItemVectors copies the item vectors, in the order of item rows; ErrUnsupported for a model without them.
func (m *Model) ItemVectors() (*Vectors, error) { return m.vectors(crec.ItemIDs) }

// UserVectors copies the user vectors, in the order of user rows, or the single one that serves every user.
func (m *Model) UserVectors() (*Vectors, error) { return m.vectors(crec.UserIDs) }

func (m *Model) vectors(what int) (*Vectors, error) {
	var v Vectors
	err := m.h.call(func(h crec.Model) (err error) {
		v.Data, v.N, v.D, err = crec.ModelVectors(h, what)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &v, nil
}

// Rows of an evaluation.
type Rows int

// What a row is.
const (
	UserRows  Rows = Rows(crec.REC_ROWS_USER)  // a user with all its items of the part
	EventRows Rows = Rows(crec.REC_ROWS_EVENT) // one interaction, with the history before it
	ListRows  Rows = Rows(crec.REC_ROWS_LIST)  // an impression list, ranked by itself
	LabelRows Rows = Rows(crec.REC_ROWS_LABEL) // a labelled interaction
)

// Candidates of an evaluation.
type Candidates int

// Which items are ranked.
const (
	FullCandidates    Candidates = Candidates(crec.REC_CANDIDATES_FULL)
	GivenCandidates   Candidates = Candidates(crec.REC_CANDIDATES_GIVEN)
	UniformCandidates Candidates = Candidates(crec.REC_CANDIDATES_UNIFORM)
	PopularCandidates Candidates = Candidates(crec.REC_CANDIDATES_POPULAR)
)

// Mask of an evaluation.
type Mask int

// Which items are left out.
const (
	MaskKnown Mask = Mask(crec.REC_MASK_KNOWN) // those the user had before the part
	MaskNone  Mask = Mask(crec.REC_MASK_NONE)
	MaskTrain Mask = Mask(crec.REC_MASK_TRAIN) // those of the train part only
)

// History of an evaluation.
type History int

// What a model may know about the user of a row. A choice other than the default is part of a metric's name.
const (
	HistoryDefault  History = History(crec.REC_HISTORY_DEFAULT)  // HistoryTraining for UserRows, HistoryBefore for others
	HistoryTraining History = History(crec.REC_HISTORY_TRAINING) // the user's train part
	HistoryBefore   History = History(crec.REC_HISTORY_BEFORE)   // what happened before the row; for UserRows, the parts before
)

// Protocol says what is ranked for whom in an evaluation. The zero value is full ranking of the test part by user.
type Protocol struct {
	Part              Part // TestPart (0 too) or ValidPart
	Rows              Rows
	Candidates        Candidates
	Mask              Mask
	TiesAgainstTarget bool // else equal scores rank by lower item row
	NCandidates       int  // drawn for each positive; 0 = 99
	Seed              int64
	MaxPos, MaxNeg    int // clicked and shown items of a list that count; 0 = 20
	History           History
	SkipFirst         bool // with EventRows, as the GRU4Rec authors: unknown items are left out, a user's first event is no row
	NUsers            int  // > 0: so many of the users are measured, drawn by Seed
	KeepLists         int  // > 0: the report's Lists have the first so many items that each row ranked
	Threads           int  // 0 = as many as the machine has
	Isolation         Isolation
}

func (p Protocol) raw() crec.RecProtocolT {
	raw := crec.NewRecProtocolT()
	raw.SetPart(int(p.Part))
	raw.SetRows(int(p.Rows))
	raw.SetCandidates(int(p.Candidates))
	raw.SetMask(int(p.Mask))
	raw.SetTies(number(p.TiesAgainstTarget) * crec.REC_TIES_AGAINST_TARGET)
	raw.SetNCandidates(int64(p.NCandidates))
	raw.SetSeed(p.Seed)
	raw.SetMaxPos(int64(p.MaxPos))
	raw.SetMaxNeg(int64(p.MaxNeg))
	raw.SetHistory(int(p.History))
	raw.SetSkipFirst(number(p.SkipFirst))
	raw.SetNUsers(int64(p.NUsers))
	raw.SetKeepLists(int64(p.KeepLists))
	return raw
}

// Report is an evaluation: the mean of each metric and its value for every row.
type Report struct {
	Metrics []string           // full names: "hit@10[uni99]"
	Means   map[string]float64 // by full name
	// StandardErrors say how much a mean would vary with other users, in one standard deviation; NaN for one user, and for
	// auc, rmse and f1_score.
	StandardErrors map[string]float64
	Values         map[string][]float64 // [n rows]; NaN where a metric is undefined for the row
	Users          IDs                  // [n rows]; of a user that the model does not know, whose row is -1, it has no meaning
	UserRows       []int64              // [n rows], their rows in the model; -1 = unknown to it
	Interactions   []int64              // [n rows], the row of the data set that each is, or begins with
	Lists          RankedLists          // what each row ranked, with Protocol.KeepLists; else empty
}

// RankedLists are what the rows of an evaluation ranked, each list best first.
type RankedLists struct {
	Lists
	Scores   []float32 // [items of all lists]
	Relevant []bool    // [items of all lists], whether the row should have had the item
}

// String is for logs: the means, in the order asked for.
func (r *Report) String() string {
	var out strings.Builder
	for _, name := range r.Metrics {
		fmt.Fprintf(&out, "%s=%.4f, ", name, r.Means[name])
	}
	fmt.Fprintf(&out, "%d rows", len(r.UserRows))
	return out.String()
}

// Evaluate ranks items for the rows of a part and measures: "recall@20,ndcg@20", see rec_model_evaluate in docs/c_api.md.
// Ids are matched, so the data set need not be the one it was trained on. Fails with ErrInvalidArgument (an unknown
// metric), ErrInvalidData (an empty part), or the context's error.
func (m *Model) Evaluate(ctx context.Context, dataset *Dataset, metrics string, protocol Protocol) (*Report, error) {
	if err := text("metrics", metrics); err != nil {
		return nil, err
	}
	p := protocol.raw()
	defer crec.DeleteRecProtocolT(p)
	var raw crec.Report
	how := how{threads: protocol.Threads, isolation: protocol.Isolation}
	err := m.h.call(func(h crec.Model) error {
		return dataset.h.longCall(ctx, how, func(data crec.Dataset, run crec.Run) error {
			return crec.RecModelEvaluate(h, data, metrics, p, run, &raw)
		})
	})
	if err != nil {
		return nil, err
	}
	return reportOf(raw, m.UserIDs, func(r *Report) error {
		if protocol.KeepLists <= 0 {
			return nil
		}
		return r.keepLists(raw, m)
	})
}

func (r *Report) keepLists(raw crec.Report, m *Model) error {
	offsets := make([]int64, len(r.UserRows)+1)
	if err := crec.ReportOffsets(raw, offsets); err != nil {
		return failed(err)
	}
	n := offsets[len(r.UserRows)]
	items, relevant := make([]int64, n), make([]int32, n)
	r.Lists = RankedLists{Scores: make([]float32, n), Relevant: make([]bool, n)}
	if err := crec.ReportLists(raw, items, r.Lists.Scores, relevant); err != nil {
		return failed(err)
	}
	for i := range relevant {
		r.Lists.Relevant[i] = relevant[i] != 0
	}
	ids, err := m.ItemIDs(items)
	r.Lists.Lists = Lists{IDs: ids, Offsets: offsets}
	return err
}

// EvaluateLists measures ranked lists from anywhere, without a model: ranked has a list for each row, best first and no id
// twice, and truth the relevant items of each row. gains, nil or [ids of truth], say how relevant each is, for ndcg. Metrics:
// recall, precision, ndcg, map, mrr, hit, f1, rbp and spark.* at k. The report's users are the numbers of the rows. Fails with
// ErrInvalidArgument (lengths that differ, a metric that lists do not give) or ErrInvalidData (no rows, an item twice in a
// list, a gain below 0).
func EvaluateLists(ranked, truth Lists, gains []float32, metrics string) (*Report, error) {
	if err := text("metrics", metrics); err != nil {
		return nil, err
	}
	for _, lists := range []struct {
		name string
		ids  *IDs
	}{{"ranked", &ranked.IDs}, {"truth", &truth.IDs}} {
		if err := lists.ids.check(lists.name); err != nil {
			return nil, err
		}
	}
	raw, err := crec.ListsEvaluate(&ranked.IDs.raw, ranked.Offsets, &truth.IDs.raw, truth.Offsets, gains, metrics)
	if err != nil {
		return nil, failed(err)
	}
	none := func(*Report) error { return nil }
	return reportOf(raw, func(rows []int64) (IDs, error) { return IDsOf(rows...), nil }, none)
}

// Copies and ends a raw report.
func reportOf(raw crec.Report, userIDs func(rows []int64) (IDs, error), lists func(*Report) error) (*Report, error) {
	defer crec.RecReportDestroy(raw)
	var nMetrics, nRows int64
	if err := crec.RecReportCounts(raw, &nMetrics, &nRows); err != nil {
		return nil, failed(err)
	}
	values := make([]float64, nMetrics*nRows)
	r := &Report{Means: map[string]float64{}, StandardErrors: map[string]float64{}, Values: map[string][]float64{}, UserRows: make([]int64, nRows),
		Interactions: make([]int64, nRows)}
	if err := crec.ReportRows(raw, values, r.UserRows, r.Interactions); err != nil {
		return nil, failed(err)
	}
	for i := range int(nMetrics) {
		name, mean, standardError, err := crec.ReportMetric(raw, i)
		if err != nil {
			return nil, failed(err)
		}
		r.Metrics = append(r.Metrics, name)
		r.Means[name] = mean
		r.StandardErrors[name] = standardError
		r.Values[name] = values[i*int(nRows) : (i+1)*int(nRows)]
	}
	var err error
	if r.Users, err = userIDs(r.UserRows); err != nil {
		return nil, err
	}
	return r, lists(r)
}
