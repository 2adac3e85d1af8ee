// One recommend for one user; see ../calls.py.
package calls

import (
	"context"
	"os"
	"strconv"
	"testing"

	"recore"
)

func must[T any](value T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func setting(b *testing.B, name string) int64 {
	return must(strconv.ParseInt(os.Getenv(name), 10, 64))(b)
}

func open(b *testing.B) (*recore.Recommender, int64, int) {
	model := must(recore.Load(context.Background(), os.Getenv("REC_BENCH_MODEL")))(b)
	b.Cleanup(func() { model.Close() })
	recommender := must(model.Recommender(recore.ExcludeSeen()))(b)
	b.Cleanup(func() { recommender.Close() })
	return recommender, setting(b, "REC_BENCH_USER"), int(setting(b, "REC_BENCH_K"))
}

func BenchmarkTopKInto(b *testing.B) {
	recommender, user, k := open(b)
	users := []int64{user}
	query := recore.Query{Users: recore.IDsOf(users...), K: k}
	rows, scores := make([]int64, k), make([]float32, k)
	for b.Loop() {
		users[0] = user // a service would set a new user here
		if err := recommender.TopKInto(&query, rows, scores, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecommendInto(b *testing.B) {
	recommender, user, k := open(b)
	users := []int64{user}
	query := recore.Query{Users: recore.IDsOf(users...), K: k}
	items, scores, counts := make([]recore.ID, k), make([]float32, k), make([]int, 1)
	for b.Loop() {
		users[0] = user
		if err := recommender.RecommendInto(&query, items, scores, counts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRecommend(b *testing.B) {
	recommender, user, k := open(b)
	for b.Loop() {
		must(recommender.Recommend(recore.IDOf(user), k))(b)
	}
}
