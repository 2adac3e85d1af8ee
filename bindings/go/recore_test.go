package recore_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"recore"
)

var ctx = context.Background()

// orchardPath is the data set that ships with the project.
func orchardPath() string {
	if folder := os.Getenv("REC_SAMPLES_FOLDER"); folder != "" {
		return filepath.Join(folder, "data", "orchard.inter.gz")
	}
	return filepath.Join("..", "..", "samples", "data", "orchard.inter.gz")
}

// must ends the test on an error; use it as must(f())(t).
func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ends closes at the end of the test.
func ends[T interface{ Close() error }](t testing.TB, value T) T {
	t.Cleanup(func() { value.Close() })
	return value
}

func orchard(t testing.TB) *recore.Dataset {
	t.Helper()
	all := must(recore.LoadDataset(ctx, orchardPath()))(t)
	defer all.Close()
	return ends(t, must(all.Split(context.Background(), recore.Split{Seed: 1}))(t))
}

// grid is users and items 0 .. 9 where user u has the items of its own parity except u itself.
func grid() (users, items []int64) {
	for u := int64(0); u < 10; u++ {
		for i := int64(0); i < 10; i++ {
			if u%2 == i%2 && u != i {
				users, items = append(users, u), append(items, i)
			}
		}
	}
	return
}

func gridModel(t testing.TB) *recore.Model {
	t.Helper()
	users, items := grid()
	data := must(recore.NewDataset(context.Background(), recore.Columns{Users: recore.IDsOf(users...), Items: recore.IDsOf(items...)}))(t)
	defer data.Close()
	return ends(t, train(t, data, "bprmf"))
}

func train(t testing.TB, data *recore.Dataset, model string, options ...recore.TrainOption) *recore.Model {
	t.Helper()
	fast := recore.Params(map[string]any{"epochs": 2, "emb_size": 8, "batch_size": 64})
	if model == "popularity" || model == "itemknn" || model == "ease" {
		fast = recore.Params(nil)
	}
	return ends(t, must(recore.Train(ctx, data, model, append([]recore.TrainOption{fast}, options...)...))(t))
}

// saved is the model's file as bytes.
func saved(t testing.TB, model *recore.Model) []byte {
	path := filepath.Join(t.TempDir(), "m.rec")
	check(t, model.Save(context.Background(), path))
	return must(os.ReadFile(path))(t)
}

// rounds is how often a test of lifetimes repeats: usually, or in the long run of make test-lifetimes.
func rounds(usual, long int) int {
	if os.Getenv("REC_LONG_LIFETIMES") == "1" {
		return long
	}
	return usual
}
