package recore_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"recore"
	"recore/internal/arrowtest"
)

func TestAFileIsLoadedAndDescribed(t *testing.T) {
	d := must(orchard(t).Describe())(t)
	if d.NUsers != 600 || d.NItems != 400 || d.NInteractions != 25000 || d.UserIDType != "bytes" {
		t.Errorf("described as %+v", d)
	}
	if d.NTrain+d.NValid+d.NTest != 25000 || d.NTest == 0 || !strings.Contains(string(d.JSON), "density") {
		t.Errorf("parts %d, %d, %d", d.NTrain, d.NValid, d.NTest)
	}
}

func TestSplitsKeepEveryInteraction(t *testing.T) {
	data := orchard(t)
	for _, kind := range []recore.SplitKind{recore.ByRatio, recore.LeaveOneOut, recore.Temporal, recore.BySession, recore.ByRatioGlobal} {
		split := must(data.Split(context.Background(), recore.Split{Kind: kind, Train: 0.5, Valid: 0.25, Test: 0.25, Seed: 3}))(t)
		d := must(split.Describe())(t)
		if d.NTrain+d.NValid+d.NTest != 25000 || d.NTest == 0 {
			t.Errorf("kind %d: parts %d, %d, %d", kind, d.NTrain, d.NValid, d.NTest)
		}
		split.Close()
	}
	if _, err := data.Split(context.Background(), recore.Split{Train: 0.5, Valid: 0.1, Test: 0.1}); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("ratios of 0.7: %v", err)
	}
}

func TestADataSetIsWrittenAndReadBack(t *testing.T) {
	data, folder := orchard(t), filepath.Join(t.TempDir(), "benchmark")
	check(t, data.Write(context.Background(), folder))
	again := ends(t, must(recore.LoadDataset(ctx, folder, recore.Format("recbole")))(t))
	if before, after := must(data.Describe())(t), must(again.Describe())(t); before.NTest != after.NTest {
		t.Errorf("%d test rows written, %d read", before.NTest, after.NTest)
	}
}

func TestColumnsAndFilesGiveTheSameDataSet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.csv")
	check(t, os.WriteFile(path, []byte("who,what,when,stars,clicked,page\n1,7,10,2.5,1,4\n1,8,11,1,0,4\n1,9,12,3,0,5\n2,7,13,4,1,4\n"), 0o600))
	file := ends(t, must(recore.LoadDataset(ctx, path, recore.Format("csv"), recore.UserColumn("who"), recore.ItemColumn("what"),
		recore.TimeColumn("when"), recore.WeightColumn("stars"), recore.LabelColumn("clicked"), recore.ImpressionKey("page"),
		recore.Separator(","), recore.IDKinds(recore.Int64IDs, recore.AutoIDs)))(t))
	columns := ends(t, must(recore.NewDataset(context.Background(), recore.Columns{
		Users: recore.IDsOf(1, 1, 1, 2), Items: recore.IDsOf[int64](7, 8, 9, 7), Times: []int64{10, 11, 12, 13},
		Weights: []float32{2.5, 1, 3, 4}, Labels: []float32{1, 0, 0, 1}, Impressions: []int64{4, 4, 5, 4},
	}))(t))
	a, b := must(file.Describe())(t), must(columns.Describe())(t)
	a.JSON, b.JSON = nil, nil
	if a.NImpressions != 3 || a.UserIDType != "int64" || a.NInteractions != 4 ||
		a.NUsers != b.NUsers || a.NItems != b.NItems || a.NImpressions != b.NImpressions || a.ItemIDType != b.ItemIDType {
		t.Errorf("file %+v, columns %+v", a, b)
	}
	fewer := ends(t, must(recore.LoadDataset(ctx, path, recore.UserColumn("who"), recore.ItemColumn("what"),
		recore.WeightColumn("stars"), recore.LabelColumn(""), recore.TimeColumn(""), recore.MinWeight(2.5)))(t))
	if d := must(fewer.Describe())(t); d.NInteractions != 3 {
		t.Errorf("%d rows of at least 2.5", d.NInteractions)
	}
}

func TestPartsAndTitlesComeFromColumns(t *testing.T) {
	data := ends(t, must(recore.NewDataset(context.Background(), recore.Columns{
		Users: recore.IDsOf(1, 1, 1, 2), Items: recore.IDsOf(10, 11, 12, 10),
		Parts:  []recore.Part{recore.TrainPart, recore.ValidPart, recore.TestPart, recore.TrainPart},
		Titles: map[recore.ID]string{recore.IDOf(10): "Ten", recore.IDOf(12): "Zwölf", recore.IDOf(99): "never seen"},
	}))(t))
	if d := must(data.Describe())(t); d.NTrain != 2 || d.NValid != 1 || d.NTest != 1 {
		t.Errorf("%+v", d)
	}
	titles := must(train(t, data, "popularity").Titles(recore.IDsOf(12, 11, 10, 12345)))(t)
	if !slices.Equal(titles, []string{"Zwölf", "", "Ten", ""}) {
		t.Errorf("titles %q", titles)
	}
}

func TestAnArrowStreamIsReadAndReleased(t *testing.T) {
	users, items := grid()
	data := ends(t, must(recore.DatasetFromArrow(context.Background(), arrowtest.Stream(users, items)))(t))
	if d := must(data.Describe())(t); d.NUsers != 10 || d.NItems != 10 || d.NInteractions != int64(len(users)) || d.UserIDType != "int64" {
		t.Errorf("%+v", d)
	}
	if _, err := recore.DatasetFromArrow(context.Background(), arrowtest.Stream(users, items), recore.UserColumn("nobody")); err == nil {
		t.Error("a column that is not there")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := recore.DatasetFromArrow(ctx, arrowtest.Stream(users, items)); !errors.Is(err, context.Canceled) {
		t.Fatalf("a context that was done before the call: %v", err)
	}
	if n := arrowtest.Releases(); n != 3 {
		t.Errorf("%d of 3 streams released", n)
	}
}

func TestTheRowsComeBackAsAnArrowStream(t *testing.T) {
	users, items := grid()
	stream := arrowtest.Stream(users, items)
	data := must(recore.DatasetFromArrow(context.Background(), stream))(t)
	check(t, data.ExportArrow(stream)) // its struct is free again
	check(t, data.Close())
	again := ends(t, must(recore.DatasetFromArrow(context.Background(), stream))(t))
	nUsers, nItems, n, err := again.Counts()
	if nUsers != 10 || nItems != 10 || n != int64(len(users)) || err != nil {
		t.Error(nUsers, nItems, n, err)
	}
	if err := again.ExportArrow(nil); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestIDsNeedNoRows(t *testing.T) {
	columns := recore.Columns{Users: recore.IDsOf(1, 2), Items: recore.IDsOf("a", "b"), MoreUsers: recore.IDsOf(2, 3), MoreItems: recore.IDsOf("c", "a")}
	data := ends(t, must(recore.NewDataset(context.Background(), columns))(t))
	nUsers, nItems, n, err := data.Counts()
	if nUsers != 3 || nItems != 3 || n != 2 || err != nil {
		t.Error(nUsers, nItems, n, err)
	}
	users, items := must(data.UserIDs())(t), must(data.ItemIDs())(t)
	if users.Len() != 3 || users.At(2) != recore.IDOf(3) || !slices.Equal(items.Strings(), []string{"a", "b", "c"}) {
		t.Error(users, items)
	}
	columns.MoreItems = recore.IDsOf(5)
	if _, err := recore.NewDataset(context.Background(), columns); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Error(err)
	}
}

func TestListsAreMeasuredWithoutAModel(t *testing.T) {
	ranked := recore.ListsOf(recore.IDsOf(5, 1, 2), recore.IDs{})
	truth := recore.ListsOf(recore.IDsOf(1, 2), recore.IDsOf(7))
	report := must(recore.EvaluateLists(ranked, truth, nil, "recall@2,rbp@2[0.5]"))(t)
	if !slices.Equal(report.Values["recall@2"], []float64{0.5, 0}) || report.Means["rbp@2[0.5]"] != 0.125 || report.Users.Len() != 2 {
		t.Error(report)
	}
	graded := must(recore.EvaluateLists(ranked, truth, []float32{1, 3, 1}, "ndcg@3"))(t)
	if want := (1/math.Log2(3) + 1.5) / (3 + 1/math.Log2(3)); math.Abs(graded.Values["ndcg@3"][0]-want) > 1e-12 {
		t.Error(graded, want)
	}
	for name, err := range map[string]error{
		"metrics": errOf(recore.EvaluateLists(ranked, truth, nil, "auc")),
		"gains":   errOf(recore.EvaluateLists(ranked, truth, []float32{1}, "ndcg@3")),
		"truth":   errOf(recore.EvaluateLists(ranked, recore.ListsOf(recore.IDsOf(1)), nil, "ndcg@3")),
	} {
		var failure *recore.Error
		if !errors.As(err, &failure) || failure.Argument != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func errOf(_ *recore.Report, err error) error { return err }

func hostile() []string {
	long := strings.Repeat("x", 64<<10)
	return []string{"", "\x00", "a\x00b", "a\x00", "a", "\xff\xfe", "😀", "ü", "u\u0308", " ", "\n", "42", "-1", long, long + "y"}
}

func TestAnyBytesAreAnID(t *testing.T) {
	ids := hostile()
	var users, items []string
	for i, user := range ids {
		for j, item := range ids {
			if i != j {
				users, items = append(users, user), append(items, item)
			}
		}
	}
	data := ends(t, must(recore.NewDataset(context.Background(), recore.Columns{Users: recore.IDsOf(users...), Items: recore.IDsOf(items...)}))(t))
	path := filepath.Join(t.TempDir(), "hostile.rec")
	check(t, train(t, data, "itemknn").Save(context.Background(), path))
	model := ends(t, must(recore.Load(context.Background(), path))(t))
	got := must(model.UserIDs(nil))(t)
	if !slices.Equal(slices.Sorted(slices.Values(got.Strings())), slices.Sorted(slices.Values(ids))) {
		t.Fatalf("%d users, %d given", got.Len(), len(ids))
	}
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen(), recore.Strict()))(t))
	for _, id := range ids {
		answer := must(recommender.Recommend(recore.IDOf(id), 20))(t)
		// A user has seen every item except the one with its own name.
		if len(answer) != 1 || answer[0].ID != recore.IDOf(id) || answer[0].ID.String() != id {
			t.Errorf("%.20q gets %d items", id, len(answer))
		}
	}
	rows := must(model.ItemRows(recore.IDsOf("nobody", "a\x00", "a\x00\x00")))(t)
	if rows[0] != -1 || rows[1] < 0 || rows[2] != -1 {
		t.Errorf("rows %d", rows)
	}
	if _, err := recommender.Recommend(recore.IDOf("a\x00\x00"), 3); !errors.Is(err, recore.ErrNotFound) {
		t.Errorf("an unknown user: %v", err)
	}
}

func TestEveryInt64IsAnID(t *testing.T) {
	ids := []int64{math.MinInt64, -1, 0, 1, math.MaxInt64}
	data := ends(t, must(recore.NewDataset(context.Background(), recore.Columns{Users: recore.IDsOf(ids...), Items: recore.IDsOf(ids...)}))(t))
	got := must(train(t, data, "popularity").UserIDs(nil))(t)
	if !slices.Equal(got.Int64s(), ids) || got.At(0) != recore.IDOf[int64](math.MinInt64) || got.At(1).String() != "-1" {
		t.Errorf("%v", got.Int64s())
	}
}

type name string

func TestIDsAreMadeOfAnyKey(t *testing.T) {
	var list recore.IDs
	for _, id := range []recore.ID{recore.IDOf("a"), recore.IDOf([]byte("b\x00")), recore.IDOf(name("c")), recore.IDOf("")} {
		list.Append(id)
	}
	if got := list.Strings(); !slices.Equal(got, []string{"a", "b\x00", "c", ""}) {
		t.Errorf("%q", got)
	}
	kept := list.At(0)
	list.Reset()
	list.Append(recore.IDOf(7))
	if kept.String() != "a" || list.Len() != 1 || list.At(0).Int64() != 7 {
		t.Errorf("%v after Reset, kept %v", list.Strings(), kept)
	}
	if (recore.ID{}).IsNone() != true || recore.IDOf("").IsNone() || recore.IDOf(0) == recore.IDOf("0") {
		t.Error("the zero ID is not told apart")
	}
	joined := recore.ListsOf(recore.IDsOf("a", "b"), recore.IDsOf[string](), recore.IDsOf("c"))
	if !slices.Equal(joined.Offsets, []int64{0, 2, 2, 3}) || joined.Len() != 3 {
		t.Errorf("offsets %d", joined.Offsets)
	}
}

func TestBadDataNamesItsArgument(t *testing.T) {
	one := recore.IDsOf(1)
	two := recore.IDsOf(1, 2)
	var mixed recore.IDs
	mixed.Append(recore.IDOf(1))
	mixed.Append(recore.IDOf("a"))
	load := func(options ...recore.LoadOption) error {
		_, err := recore.LoadDataset(ctx, orchardPath(), options...)
		return err
	}
	columns := func(c recore.Columns) error {
		_, err := recore.NewDataset(context.Background(), c)
		return err
	}
	for _, row := range []struct {
		name     string
		err      error
		kind     error
		argument string
	}{
		{"lengths", columns(recore.Columns{Users: two, Items: one}), recore.ErrInvalidArgument, "items"},
		{"times too short", columns(recore.Columns{Users: two, Items: two, Times: []int64{1}}), recore.ErrInvalidArgument, "times"},
		{"mixed ids", columns(recore.Columns{Users: mixed, Items: one}), recore.ErrInvalidArgument, "users"},
		{"NaN weight", columns(recore.Columns{Users: one, Items: one, Weights: []float32{float32(math.NaN())}}), recore.ErrInvalidData, "weights"},
		{"part out of range", columns(recore.Columns{Users: one, Items: one, Parts: []recore.Part{7}}), recore.ErrInvalidData, "parts"},
		{"nothing", columns(recore.Columns{}), recore.ErrInvalidArgument, "users"},
		{"no such format", load(recore.Format("excel")), recore.ErrInvalidArgument, "format"},
		{"NUL in a name", load(recore.UserColumn("a\x00b")), recore.ErrInvalidArgument, "UserColumn"},
		{"memory", load(recore.DataMemoryLimit(1000)), recore.ErrLimit, ""},
	} {
		var e *recore.Error
		if !errors.Is(row.err, row.kind) || !errors.As(row.err, &e) || row.argument != "" && e.Argument != row.argument {
			t.Errorf("%s: %v", row.name, row.err)
		}
	}
	if _, err := recore.DatasetFromArrow(context.Background(), nil); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("no stream: %v", err)
	}
}

func TestMessagesUseTheWordsOfGo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "words.csv")
	check(t, os.WriteFile(path, []byte("who,what\n1,2\n"), 0o600))
	var e *recore.Error
	_, err := recore.LoadDataset(ctx, path, recore.ItemColumn("what"))
	if !errors.As(err, &e) || e.Argument != "UserColumn" || !strings.Contains(e.Message, "name it with UserColumn,") {
		t.Error(err)
	}
	_, err = gridModel(t).Evaluate(ctx, orchard(t), "auc", recore.Protocol{})
	if err == nil || !strings.Contains(err.Error(), "use rows = LabelRows") {
		t.Error(err)
	}
}

func TestErrorsSayWhere(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "bad.inter")
	check(t, os.WriteFile(path, []byte("user_id:token\titem_id:token\ttimestamp:float\na\tx\t1\nb\ty\tsoon\nc\tz\t2\n"), 0o600))
	var e *recore.Error
	_, err := recore.LoadDataset(ctx, path)
	if !errors.As(err, &e) || e.Code != recore.CodeInvalidData || e.Line != 3 || e.File != path || e.Code.String() != "INVALID_DATA" {
		t.Errorf("a bad row: %#v", err)
	}
	skipped := ends(t, must(recore.LoadDataset(ctx, path, recore.SkipBadRows(5)))(t))
	if d := must(skipped.Describe())(t); d.NInteractions != 2 {
		t.Errorf("%d good rows", d.NInteractions)
	}
	missing := filepath.Join(folder, "none.rec")
	if _, err = recore.Load(context.Background(), missing); !errors.Is(err, recore.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) || errors.Is(err, recore.ErrIO) {
		t.Errorf("no file: %v", err)
	}
	bytes := saved(t, gridModel(t))
	bytes[len(bytes)-3] ^= 1
	if _, err = recore.LoadBytes(context.Background(), bytes); !errors.As(err, &e) || !errors.Is(err, recore.ErrCorruptData) || e.ByteOffset < 0 || e.Line != -1 {
		t.Errorf("a flipped bit: %#v", err)
	}
	if _, err = recore.Load(context.Background(), "a\x00b"); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("NUL in a path: %v", err)
	}
}

func TestACodeFromTheFutureIsInternal(t *testing.T) {
	err := error(&recore.Error{Code: 1234, Message: "later"})
	if !errors.Is(err, recore.ErrInternal) || errors.Is(err, recore.ErrNotFound) || err.(*recore.Error).Code.String() != "UNKNOWN" {
		t.Errorf("%v", err)
	}
}

func TestEachCodeHasOneSentinel(t *testing.T) {
	sentinels := []error{
		recore.ErrInvalidArgument, recore.ErrNotFound, recore.ErrUnsupported, recore.ErrBadState, recore.ErrIO,
		recore.ErrCorruptData, recore.ErrInvalidData, recore.ErrOutOfMemory, recore.ErrLimit, recore.ErrNumeric,
		recore.ErrDevice, recore.ErrBusy, recore.ErrDenied, recore.ErrABIMismatch, recore.ErrPluginFailed,
		recore.ErrCancelled, recore.ErrInternal,
	}
	code := recore.Code(1)
	for ; code.String() != "UNKNOWN"; code++ {
		for i, sentinel := range sentinels {
			if errors.Is(&recore.Error{Code: code}, sentinel) != (i == int(code)-1) {
				t.Errorf("%v and %v", code, sentinel)
			}
		}
	}
	if int(code)-1 != len(sentinels) {
		t.Errorf("%d codes, %d sentinels", code-1, len(sentinels))
	}
}

func TestLoadingIsCancelled(t *testing.T) {
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := recore.LoadDataset(cancelled, orchardPath()); !errors.Is(err, context.Canceled) || !errors.Is(err, recore.ErrCancelled) {
		t.Errorf("%v", err)
	}
}
