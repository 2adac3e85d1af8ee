package recore_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"recore"
)

func TestAnswersAreBestFirstUnseenAndTrimmed(t *testing.T) {
	model := gridModel(t)
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
	answer := must(recommender.Recommend(recore.IDOf(3), 100))(t)
	if len(answer) != 6 {
		t.Errorf("%d items; 10 less 4 seen", len(answer))
	}
	for i, item := range answer {
		if i > 0 && item.Score > answer[i-1].Score {
			t.Errorf("item %d is better than the one before: %v", i, answer)
		}
		if id := item.ID.Int64(); id%2 == 1 && id != 3 {
			t.Errorf("user 3 has seen item %d", id)
		}
	}
	if nobody := must(recommender.Recommend(recore.IDOf(77), 5))(t); len(nobody) != 0 {
		t.Errorf("an unknown user gets %v", nobody)
	}
	if same := must(recommender.Recommend(recore.IDOf("3"), 5))(t); !slices.Equal(same, answer[:5]) {
		t.Errorf("the text of the number gets %v", same)
	}
	if _, err := recommender.Recommend(recore.IDOf("03"), 5); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("a text that is no plain number: %v", err)
	}
	for _, k := range []int{0, -1, math.MaxInt} {
		_, err := recommender.Recommend(recore.IDOf(3), k)
		if (k <= 0) != errors.Is(err, recore.ErrInvalidArgument) {
			t.Errorf("k = %d: %v", k, err)
		}
	}
	few := ends(t, must(model.Recommender(recore.MaxK(3), recore.NCallers(1)))(t))
	if _, err := few.Recommend(recore.IDOf(3), 4); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("k above MaxK: %v", err)
	}
}

func TestManyUsersGetWhatEachGets(t *testing.T) {
	model := train(t, orchard(t), "bprmf")
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
	users := must(model.UserIDs(nil))(t)
	all := must(recommender.RecommendAll(&recore.Query{Users: users, K: 7}))(t)
	for i, user := range users.All() {
		if alone := must(recommender.Recommend(user, 7))(t); len(alone) != 7 || !slices.Equal(alone, all[i]) {
			t.Errorf("%v: %v alone, %v among others", user, alone, all[i])
		}
	}
	none := must(recommender.RecommendAll(&recore.Query{Users: recore.IDsOf[string](), K: 7}))(t)
	if len(none) != 0 {
		t.Errorf("no users get %v", none)
	}
}

func TestHistoriesCandidatesAndMasks(t *testing.T) {
	model := train(t, orchard(t), "itemknn")
	recommender := ends(t, must(model.Recommender())(t))
	users := recore.IDsOf("u0061", "u0511")
	id := func(items []recore.Item) (ids []string) {
		for _, item := range items {
			ids = append(ids, item.ID.String())
		}
		return
	}
	all := func(q recore.Query) [][]recore.Item {
		t.Helper()
		q.K = 5
		return must(recommender.RecommendAll(&q))(t)
	}
	plain := all(recore.Query{Users: users})
	histories := recore.ListsOf(recore.IDsOf("film-001", "film-002"), recore.IDsOf("film-003"))
	known, unknown := all(recore.Query{Users: users, Histories: histories}), all(recore.Query{Histories: histories})
	if !reflect.DeepEqual(known, unknown) || reflect.DeepEqual(known, plain) {
		t.Errorf("by history %v and %v, by user %v", known, unknown, plain)
	}
	some := []string{"film-010", "film-020", "film-030"}
	for i, items := range all(recore.Query{Users: users, Candidates: recore.IDsOf(some...)}) {
		if got := slices.Sorted(slices.Values(id(items))); len(got) == 0 || len(slices.DeleteFunc(got, func(s string) bool { return slices.Contains(some, s) })) != 0 {
			t.Errorf("user %d: %v among %v", i, id(items), some)
		}
	}
	lists := all(recore.Query{Users: users, CandidateLists: recore.ListsOf(recore.IDsOf("film-010"), recore.IDsOf("film-020", "film-030"))})
	if len(lists[0]) > 1 || len(lists[1]) > 2 || len(lists[1]) > 0 && lists[1][0].ID.String() == "film-010" {
		t.Errorf("lists of their own: %v", lists)
	}
	best := must(model.Bits(recore.IDsOf(id(plain[0])[:2]...)))(t)
	if got := all(recore.Query{Users: users, Allow: best})[0]; !slices.Equal(got, plain[0][:2]) {
		t.Errorf("allowed %v, got %v", plain[0][:2], got)
	}
	if got := all(recore.Query{Users: users, Deny: best})[0]; !slices.Equal(got[:3], plain[0][2:]) {
		t.Errorf("denied the first two of %v, got %v", plain[0], got)
	}
	scores := must(recommender.Score(&recore.Query{Users: users, Candidates: recore.IDsOf(append(id(plain[0]), "nothing")...)}))(t)
	for i, item := range plain[0] {
		if scores[0][i] != item.Score {
			t.Errorf("%v scores %v", item, scores[0][i])
		}
	}
	if len(scores) != 2 || len(scores[1]) != 6 || !math.IsInf(float64(scores[0][5]), -1) {
		t.Errorf("scores %v", scores)
	}
	own := must(recommender.Score(&recore.Query{Users: users, CandidateLists: recore.ListsOf(recore.IDsOf(id(plain[0])[0]), recore.IDsOf("x", "y"))}))(t)
	if len(own[0]) != 1 || own[0][0] != plain[0][0].Score || len(own[1]) != 2 {
		t.Errorf("scores of own lists %v", own)
	}
}

func TestTimesReachTheModel(t *testing.T) {
	recommender := ends(t, must(gridModel(t).Recommender())(t))
	q := recore.Query{Users: recore.IDsOf(1, 2), K: 2, Histories: recore.ListsOf(recore.IDsOf(1, 3), recore.IDsOf(2)),
		HistoryTimes: []int64{5, 6, 7}, RequestTimes: []int64{8, 9}}
	must(recommender.RecommendAll(&q))(t)
	for _, row := range []struct {
		argument string
		spoil    func(*recore.Query)
	}{
		{"history_times", func(q *recore.Query) { q.HistoryTimes = []int64{5} }},
		{"request_times", func(q *recore.Query) { q.RequestTimes = []int64{8} }},
		{"histories", func(q *recore.Query) { q.Histories = recore.ListsOf(recore.IDsOf(1)) }},
		{"histories", func(q *recore.Query) {
			var mixed recore.IDs
			mixed.Append(recore.IDOf("a"))
			mixed.Append(recore.IDOf(7))
			q.Histories, q.HistoryTimes = recore.ListsOf(mixed, recore.IDsOf(2)), nil
		}},
		{"histories", func(q *recore.Query) { q.Histories.Offsets = []int64{0, 1, 2} }},
		{"candidates", func(q *recore.Query) { q.CandidateLists = recore.ListsOf(recore.IDsOf(1)) }},
		{"users", func(q *recore.Query) { q.Users, q.Histories = recore.IDs{}, recore.Lists{} }},
	} {
		bad := q
		row.spoil(&bad)
		var e *recore.Error
		if _, err := recommender.RecommendAll(&bad); !errors.As(err, &e) || e.Argument != row.argument || e.Code != recore.CodeInvalidArgument {
			t.Errorf("%s: %v", row.argument, err)
		}
	}
	offsets := q
	offsets.Histories.Offsets = []int64{0, 9, 3}
	if _, err := recommender.RecommendAll(&offsets); !errors.Is(err, recore.ErrInvalidArgument) {
		t.Errorf("offsets that fall: %v", err)
	}
}

func TestSimilarItemsLeaveOutThemselves(t *testing.T) {
	recommender := ends(t, must(gridModel(t).Recommender())(t))
	items := recore.IDsOf(4, 99)
	similar := must(recommender.Similar(items, 50))(t)
	if len(similar[0]) != 9 || len(similar[1]) != 0 || slices.ContainsFunc(similar[0], func(i recore.Item) bool { return i.ID.Int64() == 4 }) {
		t.Errorf("similar to 4: %v", similar)
	}
	model := gridModel(t)
	nearest := must(model.Bits(recore.IDsOf(similar[0][0].ID)))(t)
	left := must(recommender.SimilarAmong(items, 50, nil, nearest))(t)
	only := must(recommender.SimilarAmong(items, 50, nearest, nil))(t)
	if !slices.Equal(left[0], similar[0][1:]) || !slices.Equal(only[0], similar[0][:1]) {
		t.Errorf("without the nearest: %v; only it: %v", left[0], only[0])
	}
	strict := ends(t, must(model.Recommender(recore.Strict()))(t))
	if _, err := strict.Similar(items, 3); !errors.Is(err, recore.ErrNotFound) {
		t.Errorf("strict: %v", err)
	}
}

func TestSimilarUsersAreNearByCosine(t *testing.T) {
	model := gridModel(t)
	recommender := ends(t, must(model.Recommender())(t))
	asked := recore.IDsOf(4, 99)
	all := must(recommender.SimilarUsers(asked, 3, nil, nil))(t)
	if len(all[0]) != 3 || len(all[1]) != 0 {
		t.Fatalf("similar users: %v", all)
	}
	vectors := must(model.UserVectors())(t)
	vector := func(id recore.ID) []float32 { return vectors.Row(int(must(model.UserRows(recore.IDsOf(id)))(t)[0])) }
	own := vector(asked.At(0))
	for _, user := range all[0] {
		dot, squares, others := 0.0, 0.0, 0.0
		for i, x := range vector(user.ID) {
			dot += float64(x) * float64(own[i])
			squares += float64(own[i]) * float64(own[i])
			others += float64(x) * float64(x)
		}
		if cosine := dot / math.Sqrt(squares*others); math.Abs(cosine-float64(user.Score)) > 1e-5 {
			t.Errorf("user %v: %v, want %v", user.ID, user.Score, cosine)
		}
	}
	nearest := must(model.UserBits(recore.IDsOf(all[0][0].ID)))(t)
	left := must(recommender.SimilarUsers(asked, 2, nil, nearest))(t)
	only := must(recommender.SimilarUsers(asked, 2, nearest, nil))(t)
	if !slices.Equal(left[0], all[0][1:]) || !slices.Equal(only[0], all[0][:1]) {
		t.Errorf("without the nearest: %v; only it: %v; all: %v", left[0], only[0], all[0])
	}
}

func TestIntoFillsWhatTheCallerOwns(t *testing.T) {
	model := gridModel(t)
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
	q := &recore.Query{Users: recore.IDsOf(3, 77, 4), K: 8}
	rows, scores, status := make([]int64, 24), make([]float32, 24), make([]recore.Code, 3)
	check(t, recommender.TopKInto(q, rows, scores, status))
	items, counts := make([]recore.ID, 24), make([]int, 3)
	check(t, recommender.RecommendInto(q, items, scores, counts))
	if !slices.Equal(counts, []int{6, 0, 6}) || !slices.Equal(status, []recore.Code{0, recore.CodeNotFound, 0}) {
		t.Errorf("counts %v, status %v", counts, status)
	}
	lists := must(recommender.RecommendAll(q))(t)
	for i := range items {
		there := i%8 < counts[i/8]
		if there == items[i].IsNone() || there != (rows[i] >= 0) || there == math.IsInf(float64(scores[i]), -1) || items[i] != recommender.ItemID(rows[i]) {
			t.Errorf("place %d: row %d, item %v, score %v", i, rows[i], items[i], scores[i])
		}
		if there && lists[i/8][i%8] != (recore.Item{ID: items[i], Score: scores[i]}) {
			t.Errorf("place %d: %v, in lists %v", i, items[i], lists[i/8][i%8])
		}
	}
	for name, err := range map[string]error{
		"rows":     recommender.TopKInto(q, rows[:23], scores, nil),
		"scores":   recommender.TopKInto(q, rows, scores[:23], nil),
		"status":   recommender.TopKInto(q, rows, scores, status[:2]),
		"items":    recommender.RecommendInto(q, items[:23], scores, counts),
		"counts":   recommender.RecommendInto(q, items, scores, counts[:2]),
		"overflow": recommender.TopKInto(&recore.Query{Users: q.Users, K: math.MaxInt}, rows, scores, nil),
		"similar":  recommender.SimilarInto(q.Users, 9, rows, scores, nil),
		"score":    recommender.ScoreInto(&recore.Query{Users: q.Users, Candidates: q.Users}, scores[:8], nil),
	} {
		if !errors.Is(err, recore.ErrInvalidArgument) {
			t.Errorf("%s too short: %v", name, err)
		}
	}
}

func TestTheFastPathAllocatesNothing(t *testing.T) {
	model := train(t, orchard(t), "bprmf")
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
	users := recore.IDsOf("u0061", "u0511", "u0001")
	q := &recore.Query{Users: users, K: 10, Candidates: recore.IDsOf("film-001", "film-002")}
	byHistory := &recore.Query{Histories: recore.ListsOf(recore.IDsOf("film-003"), recore.IDsOf("film-001")), K: 10}
	rows, scores, status := make([]int64, 30), make([]float32, 30), make([]recore.Code, 3)
	items, counts := make([]recore.ID, 30), make([]int, 3)
	user := 0
	for name, call := range map[string]func() error{
		"TopKInto": func() error { return recommender.TopKInto(q, rows, scores, status) },
		"another user each time": func() error {
			q.Users.Reset()
			q.Users.Append(recore.IDOf([]string{"u0061", "u0511", "u0001"}[user%3]))
			user++
			return recommender.RecommendInto(q, items, scores, counts)
		},
		"by history":    func() error { return recommender.TopKInto(byHistory, rows, scores, status) },
		"RecommendInto": func() error { return recommender.RecommendInto(q, items, scores, counts) },
		"SimilarInto":   func() error { return recommender.SimilarInto(q.Candidates, 10, rows, scores, status) },
		"ScoreInto":     func() error { return recommender.ScoreInto(q, scores, status) },
	} {
		if n := testing.AllocsPerRun(200, func() { check(t, call()) }); n != 0 && !raceEnabled {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestSavedModelsAnswerTheSame(t *testing.T) {
	model := train(t, orchard(t), "bprmf")
	folder := t.TempDir()
	path, bare := filepath.Join(folder, "m.rec"), filepath.Join(folder, "bare.rec")
	check(t, model.Save(context.Background(), path))
	check(t, model.SaveWithoutUserData(context.Background(), bare))
	loaded := ends(t, must(recore.Load(context.Background(), path))(t))
	q := &recore.Query{Users: must(model.UserIDs(nil))(t), K: 10}
	a := must(ends(t, must(model.Recommender(recore.ExcludeSeen()))(t)).RecommendAll(q))(t)
	b := must(ends(t, must(loaded.Recommender(recore.ExcludeSeen()))(t)).RecommendAll(q))(t)
	if !reflect.DeepEqual(a, b) {
		t.Error("the loaded model answers something else")
	}
	without := ends(t, must(recore.Load(context.Background(), bare, recore.ModelMemoryLimit(1<<30)))(t))
	if _, err := without.Recommender(recore.ExcludeSeen()); !errors.Is(err, recore.ErrUnsupported) {
		t.Errorf("seen items of a model without user data: %v", err)
	}
	if err := model.Save(context.Background(), filepath.Join(folder, "no", "such", "m.rec")); !errors.Is(err, recore.ErrNotFound) {
		t.Errorf("no such folder: %v", err)
	}
	if _, err := recore.Load(context.Background(), path, recore.ModelMemoryLimit(1000)); !errors.Is(err, recore.ErrLimit) {
		t.Errorf("a memory limit: %v", err)
	}
}

func TestRowsAndIDsAreEachOthersInverse(t *testing.T) {
	for name, model := range map[string]*recore.Model{"bytes": train(t, orchard(t), "popularity"), "int64": gridModel(t)} {
		users, items := must(model.UserIDs(nil))(t), must(model.ItemIDs(nil))(t)
		for _, rows := range [][]int64{must(model.UserRows(users))(t), must(model.ItemRows(items))(t)} {
			for i, row := range rows {
				if row != int64(i) {
					t.Errorf("%s: place %d has row %d", name, i, row)
				}
			}
		}
		none := must(model.ItemIDs([]int64{}))(t)
		if none.Len() != 0 || len(must(model.ItemRows(none))(t)) != 0 || len(must(model.Titles(none))(t)) != 0 {
			t.Errorf("%s: no rows have %d ids", name, none.Len())
		}
		padding := must(model.ItemIDs([]int64{0, -1}))(t)
		if padding.At(0) != items.At(0) || padding.At(1).Int64() != 0 || padding.At(1).IsInt64() != (name == "int64") {
			t.Errorf("%s: ids %v", name, padding.Strings())
		}
		if _, err := model.ItemIDs([]int64{1 << 40}); !errors.Is(err, recore.ErrInvalidArgument) {
			t.Errorf("%s: a row that is not there: %v", name, err)
		}
	}
}

func TestVectorsGiveTheScores(t *testing.T) {
	model := train(t, orchard(t), "bprmf")
	items, users := must(model.ItemVectors())(t), must(model.UserVectors())(t)
	user := must(model.UserRows(recore.IDsOf("u0061")))(t)[0]
	recommender := ends(t, must(model.Recommender())(t))
	scores := must(recommender.Score(&recore.Query{Users: recore.IDsOf("u0061"), Candidates: must(model.ItemIDs(nil))(t)}))(t)[0]
	for i, score := range scores {
		sum := 0.0
		for k, x := range users.Row(int(user)) {
			sum += float64(x) * float64(items.Row(i)[k])
		}
		if math.Abs(sum-float64(score)) > 1e-5 { // float32 products of 8 terms below 1
			t.Errorf("item %d: %v, score %v", i, sum, score)
		}
	}
	if _, err := train(t, orchard(t), "itemknn").ItemVectors(); !errors.Is(err, recore.ErrUnsupported) {
		t.Errorf("a model without vectors: %v", err)
	}
}

func TestErrorsHaveTheLibrarysSentence(t *testing.T) {
	model := train(t, orchard(t), "popularity")
	recommender := ends(t, must(model.Recommender())(t))
	item := must(model.ItemIDs([]int64{0}))(t)
	_, ofVectors := train(t, orchard(t), "itemknn").ItemVectors()
	_, ofSimilar := recommender.Similar(item, 3)
	_, ofIDs := model.ItemIDs([]int64{1 << 40})
	tooMany := recore.Query{Users: recore.IDsOf("u0061"), K: 2000} // above the MaxK of 1000
	rows, scores := make([]int64, 2000), make([]float32, 2000)
	ofUsers := recommender.TopKInto(&tooMany, rows, scores, nil)
	tooMany.Candidates = item
	ofCandidates := recommender.TopKInto(&tooMany, rows, scores, nil)
	ofScore := recommender.ScoreInto(&recore.Query{Users: tooMany.Users}, scores, nil)
	_, ofMetric := model.Evaluate(ctx, orchard(t), "ndgc@20", recore.Protocol{})
	_, ofFile := recore.LoadBytes(context.Background(), []byte("no model"))
	_, ofColumns := recore.NewDataset(context.Background(), recore.Columns{Users: item, Items: recore.IDsOf[string]()})
	for name, err := range map[string]error{"ItemVectors": ofVectors, "Similar": ofSimilar, "ItemIDs": ofIDs, "TopKInto": ofUsers,
		"of candidates": ofCandidates, "ScoreInto": ofScore, "Evaluate": ofMetric, "LoadBytes": ofFile, "NewDataset": ofColumns} {
		if e := (*recore.Error)(nil); !errors.As(err, &e) || !strings.Contains(e.Message, " ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAnEvaluationHasMeansAndRows(t *testing.T) {
	data := orchard(t)
	model := train(t, data, "bprmf")
	report := must(model.Evaluate(ctx, data, "recall@20,ndcg@20", recore.Protocol{}))(t)
	values := report.Values["ndcg@20"]
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if !slices.Equal(report.Metrics, []string{"recall@20", "ndcg@20"}) || len(values) != report.Users.Len() ||
		math.Abs(sum/float64(len(values))-report.Means["ndcg@20"]) > 1e-12 {
		t.Errorf("%v over %d rows", report.Means, len(values))
	}
	if rows := must(model.UserRows(report.Users))(t); !slices.Equal(rows, report.UserRows) {
		t.Error("users and their rows differ")
	}
	sampled := must(model.Evaluate(ctx, data, "hit@10", recore.Protocol{
		Part: recore.ValidPart, Rows: recore.EventRows, Candidates: recore.UniformCandidates, Mask: recore.MaskTrain,
		TiesAgainstTarget: true, NCandidates: 50, Seed: 5, History: recore.HistoryTraining, Threads: 1}))(t)
	if mean, there := sampled.Means["hit@10[uni50][training]"]; !there || !(mean > 0) || len(sampled.UserRows) <= len(report.UserRows) {
		t.Errorf("sampled %v over %d rows", sampled.Means, len(sampled.UserRows))
	}
	for _, metrics := range []string{"recal@20", "", "ndcg@20\x00"} {
		if _, err := model.Evaluate(ctx, data, metrics, recore.Protocol{}); !errors.Is(err, recore.ErrInvalidArgument) {
			t.Errorf("%q: %v", metrics, err)
		}
	}
}

func TestAnEvaluationKeepsWhatEachRowRanked(t *testing.T) {
	data := orchard(t)
	model := train(t, data, "bprmf")
	report := must(model.Evaluate(ctx, data, "recall@5", recore.Protocol{KeepLists: 5}))(t)
	lists := report.Lists
	if len(lists.Offsets) != len(report.UserRows)+1 || lists.IDs.Len() != len(lists.Scores) || len(report.Interactions) != len(report.UserRows) {
		t.Fatal(len(lists.Offsets), lists.IDs.Len(), len(lists.Scores))
	}
	for row, value := range report.Values["recall@5"] {
		hits := 0
		for i := lists.Offsets[row]; i < lists.Offsets[row+1]; i++ {
			if i > lists.Offsets[row] && lists.Scores[i] > lists.Scores[i-1] {
				t.Error(row, "is not best first")
			}
			if lists.Relevant[i] {
				hits++
			}
		}
		if (hits > 0) != (value > 0) {
			t.Error(row, hits, value)
		}
	}
	if none := must(model.Evaluate(ctx, data, "recall@5", recore.Protocol{}))(t); none.Lists.IDs.Len() != 0 || none.Lists.Offsets != nil {
		t.Error("lists that nobody asked for")
	}
}

func TestObjectsPrintTheirCounts(t *testing.T) {
	data := orchard(t)
	model := train(t, data, "bprmf")
	report := must(model.Evaluate(ctx, data, "hit@10", recore.Protocol{}))(t)
	info := must(data.Describe())(t)
	for object, want := range map[fmt.Stringer]string{
		data:   fmt.Sprintf("Dataset: 600 users, 400 items, %d interactions", info.NInteractions),
		model:  "Model bprmf: 600 users, 400 items",
		report: fmt.Sprintf("hit@10=%.4f, %d rows", report.Means["hit@10"], len(report.UserRows)),
	} {
		if object.String() != want {
			t.Errorf("%q instead of %q", object, want)
		}
	}
	recommender := must(model.Recommender())(t)
	trainer := must(recore.NewTrainer(ctx, data, "ease", recore.Set("lambda", 5)))(t)
	plain := ends(t, must(recore.NewTrainer(ctx, data, "popularity"))(t))
	check(t, model.Close())
	for object, want := range map[fmt.Stringer]string{
		model:       "recore: Model: used after Close",
		recommender: "Recommender of bprmf: 600 users, 400 items",
		trainer:     `Trainer ease {"lambda":5}`,
		plain:       "Trainer popularity",
	} {
		if object.String() != want {
			t.Errorf("%q instead of %q", object, want)
		}
	}
	check(t, recommender.Close())
	check(t, trainer.Close())
	if recommender.String() != "recore: Recommender: used after Close" || trainer.String() != "recore: Trainer: used after Close" {
		t.Errorf("%q, %q", recommender, trainer)
	}
}

func TestEachUserMayHaveItsOwnFilters(t *testing.T) {
	model := train(t, orchard(t), "itemknn")
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen()))(t))
	id := func(names ...string) (ids []recore.ID) {
		for _, name := range names {
			ids = append(ids, recore.IDOf(name))
		}
		return
	}
	names := []string{"u0061", "u0511", "nobody"}
	lists := [][]recore.ID{id("film-009", "film-001", "film-005", "unknown"), {}, id("film-002")}
	bits := must(model.BitsOf(lists))(t)
	times := []int64{1, 2, 3}
	had := []recore.IDs{recore.IDsOf("film-010", "film-020"), recore.IDsOf("film-030"), recore.IDsOf("film-040")}
	among := []recore.IDs{recore.IDsOf("film-001", "film-002"), recore.IDsOf("film-003"), recore.IDsOf("film-002", "film-005")}
	histories, candidates := recore.ListsOf(had...), recore.ListsOf(among...)
	for what, together := range map[string]recore.Query{
		"allow":      {AllowEach: bits},
		"deny":       {DenyEach: bits},
		"both":       {AllowEach: bits, DenyEach: []recore.Bits{bits[2], bits[1], bits[0]}},
		"histories":  {DenyEach: bits, Histories: histories, RequestTimes: times, HistoryTimes: []int64{1, 2, 3, 4}},
		"candidates": {DenyEach: bits, CandidateLists: candidates},
	} {
		together.Users, together.K = recore.IDsOf(names...), 7
		answers := must(recommender.RecommendAll(&together))(t)
		for i, name := range names {
			one := recore.Query{Users: recore.IDsOf(name), K: 7}
			if together.AllowEach != nil {
				one.Allow = together.AllowEach[i]
			}
			if together.DenyEach != nil {
				one.Deny = together.DenyEach[i]
			}
			if what == "histories" {
				one.Histories = recore.ListsOf(had[i])
			}
			if what == "candidates" {
				one.Candidates = among[i]
			}
			if alone := must(recommender.RecommendAll(&one))(t); !slices.Equal(answers[i], alone[0]) {
				t.Errorf("%s, %s: %v in the batch, %v alone", what, name, answers[i], alone[0])
			}
		}
	}
	answers := must(recommender.RecommendAll(&recore.Query{Histories: histories, K: 3, AllowEach: bits}))(t)
	if len(answers[0]) != 3 || len(answers[1]) != 0 || len(answers[2]) != 1 {
		t.Errorf("for histories alone: %v", answers)
	}
	rows, status := make([]int64, 21), make([]recore.Code, 3)
	query := recore.Query{Users: recore.IDsOf(names...), K: 7, DenyEach: bits}
	check(t, recommender.TopKInto(&query, rows, nil, status))
	if status[0] != 0 || status[2] != recore.CodeNotFound {
		t.Errorf("status %v", status)
	}
	for _, fails := range []error{
		recommender.TopKInto(&recore.Query{Users: recore.IDsOf(names...), K: 7, AllowEach: bits[:2]}, rows, nil, nil),
		recommender.TopKInto(&query, rows[:20], nil, nil), recommender.TopKInto(&query, rows, make([]float32, 20), nil),
		recommender.TopKInto(&query, rows, nil, status[:2]),
	} {
		if !errors.Is(fails, recore.ErrInvalidArgument) {
			t.Errorf("%v", fails)
		}
	}
}

func TestAModelWithoutItsPluginSaysWhatIsMissing(t *testing.T) {
	models := []string{"fism"}
	if os.Getenv("REC_WITH_TORCH") != "1" {
		models = append(models, "two_tower", "ans", "autocf")
	}
	for _, model := range models {
		err := recore.CheckTraining(model)
		var e *recore.Error
		if !errors.As(err, &e) || e.Code != recore.CodeNotFound || !strings.Contains(e.Message, "librecore_"+model+".so") ||
			!strings.Contains(e.Message, "REC_PLUGIN_PATH") || strings.Contains(e.Message, "LibTorch") != (model != "fism") {
			t.Errorf("%s: %v", model, err)
		}
	}
}

func TestManyGoroutinesGetTheAnswerOfOne(t *testing.T) {
	model := train(t, orchard(t), "bprmf")
	recommender := ends(t, must(model.Recommender(recore.ExcludeSeen(), recore.NCallers(4)))(t))
	q := &recore.Query{Users: must(model.UserIDs(nil))(t), K: 20}
	expected := must(recommender.RecommendAll(q))(t)
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 5 {
				got, err := recommender.RecommendAll(q)
				if err != nil || !reflect.DeepEqual(got, expected) {
					t.Errorf("another answer, %v", err)
				}
			}
		}()
	}
	wait.Wait()
}

func BenchmarkTopKInto(b *testing.B) {
	recommender := ends(b, must(train(b, orchard(b), "bprmf").Recommender(recore.ExcludeSeen()))(b))
	q := &recore.Query{Users: recore.IDsOf("u0061"), K: 10}
	rows, scores := make([]int64, 10), make([]float32, 10)
	for b.Loop() {
		check(b, recommender.TopKInto(q, rows, scores, nil))
	}
}

func BenchmarkRecommendInto(b *testing.B) {
	recommender := ends(b, must(train(b, orchard(b), "bprmf").Recommender(recore.ExcludeSeen()))(b))
	q := &recore.Query{Users: recore.IDsOf("u0061"), K: 10}
	items, scores, counts := make([]recore.ID, 10), make([]float32, 10), make([]int, 1)
	for b.Loop() {
		check(b, recommender.RecommendInto(q, items, scores, counts))
	}
}
