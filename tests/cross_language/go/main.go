// Answers from a saved model: answers MODEL.rec K prints user row, item row, the score's bits and the item for each rank
// of each user.
package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"strconv"

	"recore"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func main() {
	model, k := must(recore.Load(context.Background(), os.Args[1])), must(strconv.Atoi(os.Args[2]))
	recommender := must(model.Recommender(recore.ExcludeSeen()))
	query := recore.Query{Users: must(model.UserIDs(nil)), K: k}
	n := query.Users.Len() * k
	rows, scores := make([]int64, n), make([]float32, n)
	if err := recommender.TopKInto(&query, rows, scores, nil); err != nil {
		log.Fatal(err)
	}
	for i, row := range rows {
		if row < 0 { // fewer than k
			continue
		}
		fmt.Printf("%d %d %08x %v\n", i/k, row, math.Float32bits(scores[i]), recommender.ItemID(row))
	}
}
