package recore

import (
	"context"
	"encoding/json"
	"fmt"
	"unsafe"

	"recore/internal/crec"
)

// Dataset is interactions with their ids, the part (train, valid, test) of each, and item titles. Immutable.
type Dataset struct{ h handle[crec.Dataset] }

func newDataset(raw crec.Dataset, err error) (*Dataset, error) {
	if err != nil {
		return nil, err
	}
	d := new(Dataset)
	d.h.open("Dataset", raw, crec.RecDatasetDestroy)
	return d, nil
}

// Close ends the data set; trainers that use it keep what they need. It never fails.
func (d *Dataset) Close() error {
	if d == nil {
		return nil
	}
	return d.h.close()
}

// LoadOption says how a file or folder is read.
type LoadOption struct {
	apply func(crec.RecDatasetOptionsT) error
}

func textOption(name, value string, set func(crec.RecDatasetOptionsT, string)) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		set(o, value)
		return text(inWordsOfGo(name), value)
	}}
}

// Format is csv, tsv, parquet, lightgcn, recbole, rechorus, movielens, gru4rec or two_tower; by default it is detected.
func Format(name string) LoadOption {
	return textOption("format", name, crec.RecDatasetOptionsT.SetFormat)
}

// UserColumn names a column; by default the usual names are tried, here and in the options that follow.
func UserColumn(name string) LoadOption {
	return textOption("user_column", name, crec.RecDatasetOptionsT.SetUserColumn)
}

// ItemColumn names the column of items.
func ItemColumn(name string) LoadOption {
	return textOption("item_column", name, crec.RecDatasetOptionsT.SetItemColumn)
}

// TimeColumn names the column of times; "" ignores times.
func TimeColumn(name string) LoadOption {
	return textOption("time_column", name, crec.RecDatasetOptionsT.SetTimeColumn)
}

// WeightColumn names the column of ratings; "" ignores them.
func WeightColumn(name string) LoadOption {
	return textOption("weight_column", name, crec.RecDatasetOptionsT.SetWeightColumn)
}

// LabelColumn names the column that is 1 for a clicked row and 0 for one that was only shown; "" ignores it.
func LabelColumn(name string) LoadOption {
	return textOption("label_column", name, crec.RecDatasetOptionsT.SetLabelColumn)
}

// ImpressionKey is "time" or a column: labelled rows of one user with equal values are one impression list; "" = no lists.
func ImpressionKey(name string) LoadOption {
	return textOption("impression_key", name, crec.RecDatasetOptionsT.SetImpressionKey)
}

// Separator is one byte; by default it is detected.
func Separator(separator string) LoadOption {
	return textOption("separator", separator, crec.RecDatasetOptionsT.SetSeparator)
}

// Header says whether the first line of a CSV or TSV file names the columns; by default it does unless it has a number or a
// date in it. Without a header, columns are named "1", "2", ...
func Header(has bool) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetHeader(crec.REC_HEADER_NO)
		if has {
			o.SetHeader(crec.REC_HEADER_YES)
		}
		return nil
	}}
}

// QuoteKind says what a quote means in a CSV or TSV file.
type QuoteKind int

// The kinds of quotes.
const (
	AutoQuotes QuoteKind = QuoteKind(crec.REC_QUOTES_AUTO) // as in CSV, in TSV only where a quoted cell ends in its line
	CSVQuotes  QuoteKind = QuoteKind(crec.REC_QUOTES_CSV)  // a quoted cell may hold separators and line ends
	NoQuotes   QuoteKind = QuoteKind(crec.REC_QUOTES_NONE) // a quote is a character
)

// Quotes says what a quote means.
func Quotes(kind QuoteKind) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetQuotes(int(kind))
		return nil
	}}
}

// TimeUnit is the unit of times that are numbers.
type TimeUnit int32

// The units of times. AutoTime goes by the size of most numbers: seconds below 10^11, milliseconds below 10^14, and so on.
const (
	AutoTime     TimeUnit = TimeUnit(crec.REC_TIME_AUTO)
	Seconds      TimeUnit = TimeUnit(crec.REC_TIME_SECONDS)
	Milliseconds TimeUnit = TimeUnit(crec.REC_TIME_MILLISECONDS)
	Microseconds TimeUnit = TimeUnit(crec.REC_TIME_MICROSECONDS)
	Nanoseconds  TimeUnit = TimeUnit(crec.REC_TIME_NANOSECONDS)
)

// Times gives the unit of times that are numbers.
func Times(unit TimeUnit) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetTimeUnit(int(unit))
		return nil
	}}
}

// TimeFormat says how dates are written, from %Y %m %d %H %M %S %y %b %a %I %p %z; by default ISO 8601.
func TimeFormat(format string) LoadOption {
	return textOption("time_format", format, crec.RecDatasetOptionsT.SetTimeFormat)
}

// Missing are the words, by comma, for an id that is missing; such rows are left out and counted. By default NA, NaN, null,
// None, \N and their like.
func Missing(words string) LoadOption {
	return textOption("missing", words, crec.RecDatasetOptionsT.SetMissing)
}

// AllOf puts every row into one part, for files that have none of their own.
func AllOf(part Part) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetHasPart(1)
		o.SetPart(int(part))
		return nil
	}}
}

// ValidFile names a file of the same format, whose rows are for validation.
func ValidFile(path string) LoadOption {
	return textOption("valid_path", path, crec.RecDatasetOptionsT.SetValidPath)
}

// TestFile names a file of the same format, whose rows are for the test.
func TestFile(path string) LoadOption {
	return textOption("test_path", path, crec.RecDatasetOptionsT.SetTestPath)
}

// IDKind says how the ids of a file are read.
type IDKind int

// The kinds of ids.
const (
	AutoIDs  IDKind = IDKind(crec.REC_ID_AUTO) // integers when every id is one; a number and its text are the same id
	Int64IDs IDKind = IDKind(crec.REC_ID_INT64)
	ByteIDs  IDKind = IDKind(crec.REC_ID_BYTES)
)

// IDKinds says how ids of users and of items are read.
func IDKinds(users, items IDKind) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetUserIdType(int(users))
		o.SetItemIdType(int(items))
		return nil
	}}
}

// SkipBadRows leaves out up to this many bad rows (0 = 1000) instead of failing at the first.
func SkipBadRows(atMost int64) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetBadRows(crec.REC_BAD_ROW_SKIP)
		o.SetMaxBadRows(atMost)
		return nil
	}}
}

// MinWeight leaves out rows with a smaller weight.
func MinWeight(weight float64) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetHasMinWeight(1)
		o.SetMinWeight(weight)
		return nil
	}}
}

// DataMemoryLimit makes a data set that would need more an ErrLimit.
func DataMemoryLimit(bytes int64) LoadOption {
	return LoadOption{func(o crec.RecDatasetOptionsT) error {
		o.SetMemoryLimitBytes(bytes)
		return nil
	}}
}

func load(ctx context.Context, options []LoadOption,
	from func(crec.RecDatasetOptionsT, crec.Run, *crec.Dataset) error) (*Dataset, error) {
	o := crec.NewRecDatasetOptionsT()
	defer crec.DeleteRecDatasetOptionsT(o)
	for _, option := range options {
		if err := option.apply(o); err != nil {
			return nil, err
		}
	}
	return newDataset(made(ctx, func(run crec.Run, out *crec.Dataset) error { return from(o, run, out) }))
}

// LoadDataset reads a file or folder; .gz is read as text. Files that are already split keep their parts; anything else is
// all train until [Dataset.Split]. Fails with ErrNotFound, ErrIO, ErrInvalidData (with file and line), ErrLimit,
// ErrUnsupported, or the context's error.
func LoadDataset(ctx context.Context, path string, options ...LoadOption) (*Dataset, error) {
	if err := text("path", path); err != nil {
		return nil, err
	}
	return load(ctx, options, func(o crec.RecDatasetOptionsT, run crec.Run, out *crec.Dataset) error {
		return crec.RecDatasetLoad(path, o, run, out)
	})
}

// DatasetFromArrow reads a struct ArrowArrayStream in C memory, as cdata.ExportRecordReader of Arrow fills it. The stream
// is taken over, success or not, unless an option cannot be passed on (a NUL in a name); nil is an ErrInvalidArgument.
// Options that apply only to files are ignored.
func DatasetFromArrow(ctx context.Context, stream unsafe.Pointer, options ...LoadOption) (*Dataset, error) {
	return load(ctx, options, func(o crec.RecDatasetOptionsT, run crec.Run, out *crec.Dataset) error {
		return crec.RecDatasetCreateFromArrow(stream, o, run, out)
	})
}

// Part is what an interaction is for.
type Part = int32

// The parts.
const (
	TrainPart Part = Part(crec.REC_PART_TRAIN)
	ValidPart Part = Part(crec.REC_PART_VALID)
	TestPart  Part = Part(crec.REC_PART_TEST)
)

// Columns are interactions in memory: Users and Items, and columns of the same length n or nil.
type Columns struct {
	Users, Items     IDs
	Times            []int64   // since 1970 UTC, in TimeUnit; what is below a second decides the order only
	TimeUnit         TimeUnit  // by default by their size
	Weights          []float32 // finite
	Parts            []Part    // nil: all is train
	Labels           []float32 // 1 for a clicked row, 0 for one that was only shown
	Impressions      []int64   // labelled rows of one user with equal numbers are one impression list; nil = Times
	Titles           map[ID]string
	MoreUsers        IDs   // that the data set has with or without rows, of the kind of Users
	MoreItems        IDs   // likewise of Items
	MemoryLimitBytes int64 // 0 = none
}

// NewDataset copies columns. Fails with ErrInvalidArgument (lengths that differ), ErrInvalidData (with the row), ErrLimit,
// or the context's error.
func NewDataset(ctx context.Context, c Columns) (*Dataset, error) {
	raw := crec.Columns{
		Users: c.Users.raw, Items: c.Items.raw, Times: c.Times, Weights: c.Weights, Parts: c.Parts, Labels: c.Labels,
		Impressions: c.Impressions, MoreUsers: c.MoreUsers.raw, MoreItems: c.MoreItems.raw, TimeUnit: int32(c.TimeUnit),
		MemoryLimitBytes: c.MemoryLimitBytes,
	}
	if len(c.Titles) > 0 {
		var items, titles IDs
		for item, title := range c.Titles {
			items.Append(item)
			titles.Append(IDOf(title))
		}
		if err := items.check("titles"); err != nil {
			return nil, err
		}
		raw.TitleItems, raw.Titles = items.raw, titles.raw
	}
	for _, list := range []struct {
		name string
		ids  *IDs
	}{{"users", &c.Users}, {"items", &c.Items}, {"more_users", &c.MoreUsers}, {"more_items", &c.MoreItems}} {
		if err := list.ids.check(list.name); err != nil {
			return nil, err
		}
	}
	return newDataset(made(ctx, func(run crec.Run, out *crec.Dataset) (err error) {
		*out, err = crec.DatasetCreate(&raw, run)
		return err
	}))
}

// SplitKind is how interactions are assigned to parts.
type SplitKind int

// The kinds of splits.
const (
	ByRatio       SplitKind = SplitKind(crec.REC_SPLIT_RATIO)         // by user, shuffled
	LeaveOneOut   SplitKind = SplitKind(crec.REC_SPLIT_LEAVE_ONE_OUT) // by user in time order: the last to test, the last but one to valid
	Temporal      SplitKind = SplitKind(crec.REC_SPLIT_TEMPORAL)      // over all interactions in time order
	BySession     SplitKind = SplitKind(crec.REC_SPLIT_SESSION)       // whole users by the time of their last event
	ByRatioGlobal SplitKind = SplitKind(crec.REC_SPLIT_RATIO_GLOBAL)  // shuffled over all interactions
)

// Split is a kind (0 = ByRatio), ratios that sum to 1 (all 0 = 0.8, 0.1, 0.1) and a seed.
type Split struct {
	Kind               SplitKind
	Train, Valid, Test float64
	Seed               int64
}

// Split returns a copy of the data set with new parts. Fails with ErrInvalidArgument (ratios), ErrInvalidData (the split needs
// times and the data set has none), or the context's error.
func (d *Dataset) Split(ctx context.Context, split Split) (*Dataset, error) {
	o := crec.NewRecSplitOptionsT()
	defer crec.DeleteRecSplitOptionsT(o)
	o.SetKind(int(split.Kind))
	o.SetTrainRatio(split.Train)
	o.SetValidRatio(split.Valid)
	o.SetTestRatio(split.Test)
	o.SetSeed(split.Seed)
	var raw crec.Dataset
	err := d.h.longCall(ctx, how{}, func(h crec.Dataset, run crec.Run) error { return crec.RecDatasetSplit(h, o, run, &raw) })
	return newDataset(raw, err)
}

// Write makes folder/<its name>.{train,valid,test}.inter and .item, RecBole benchmark files: rows, labels, lists, titles.
// Candidates, relations, features, and users and items without rows are left out; a warning in the log names them.
func (d *Dataset) Write(ctx context.Context, folder string) error {
	if err := text("directory", folder); err != nil {
		return err
	}
	return d.h.longCall(ctx, how{}, func(h crec.Dataset, run crec.Run) error { return crec.RecDatasetSave(h, folder, run) })
}

// DatasetInfo describes a data set; JSON has everything that the library reports.
type DatasetInfo struct {
	NUsers        int64           `json:"n_users"`
	NItems        int64           `json:"n_items"`
	NInteractions int64           `json:"n_interactions"`
	NTrain        int64           `json:"n_train"`
	NValid        int64           `json:"n_valid"`
	NTest         int64           `json:"n_test"`
	NImpressions  int64           `json:"n_impressions"`
	UserIDType    string          `json:"user_id_type"`
	ItemIDType    string          `json:"item_id_type"`
	JSON          json.RawMessage `json:"-"`
}

// Describe counts what the data set holds.
func (d *Dataset) Describe() (*DatasetInfo, error) {
	var described string
	if err := d.h.call(func(h crec.Dataset) error { return crec.RecDatasetDescribe(h, &described) }); err != nil {
		return nil, err
	}
	info := &DatasetInfo{JSON: json.RawMessage(described)}
	return info, json.Unmarshal(info.JSON, info)
}

// Counts are the numbers of users, items and interactions.
func (d *Dataset) Counts() (nUsers, nItems, nInteractions int64, err error) {
	err = d.h.call(func(h crec.Dataset) error { return crec.RecDatasetCounts(h, &nUsers, &nItems, &nInteractions) })
	return nUsers, nItems, nInteractions, err
}

// UserIDs are the ids of all users, with and without rows, in order of first appearance.
func (d *Dataset) UserIDs() (IDs, error) {
	n, _, _, err := d.Counts()
	return d.idsOf(crec.UserIDs, n, err)
}

// ItemIDs are the ids of all items, likewise.
func (d *Dataset) ItemIDs() (IDs, error) {
	_, n, _, err := d.Counts()
	return d.idsOf(crec.ItemIDs, n, err)
}

func (d *Dataset) idsOf(what int, n int64, err error) (ids IDs, _ error) {
	if err != nil {
		return ids, err
	}
	rows := make([]int64, n)
	for i := range rows {
		rows[i] = int64(i)
	}
	err = d.h.call(func(h crec.Dataset) (err error) {
		ids.raw, err = crec.DatasetIDs(h, what, rows)
		return err
	})
	return ids, err
}

// ExportArrow fills a struct ArrowArrayStream in C memory with the rows, for cdata.ImportCRecordReader of Arrow, which
// releases it. Columns: user_id, item_id, those that the data set has of time (int64 seconds), weight, label and impression,
// and part. The stream outlives the data set's Close.
func (d *Dataset) ExportArrow(stream unsafe.Pointer) error {
	return d.h.call(func(h crec.Dataset) error { return crec.RecDatasetExportArrow(h, stream) })
}

// String is the counts, for logs; for a closed data set, the error.
func (d *Dataset) String() string {
	nUsers, nItems, nInteractions, err := d.Counts()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("Dataset: %d users, %d items, %d interactions", nUsers, nItems, nInteractions)
}
