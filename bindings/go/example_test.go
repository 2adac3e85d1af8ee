package recore_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"recore"
)

// Two users who like apples and two who like pears.
func fruit() *recore.Dataset {
	data, err := recore.NewDataset(context.Background(), recore.Columns{
		Users: recore.IDsOf("ann", "ann", "bob", "bob", "bob", "cid", "cid", "dee", "dee", "dee"),
		Items: recore.IDsOf("boskoop", "gala", "boskoop", "gala", "idared", "comice", "conference", "comice", "conference", "williams"),
	})
	if err != nil {
		log.Fatal(err)
	}
	return data
}

func ExampleTrain() {
	data := fruit()
	defer data.Close()
	model, err := recore.Train(context.Background(), data, "itemknn")
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	recommender, err := model.Recommender(recore.ExcludeSeen())
	if err != nil {
		log.Fatal(err)
	}
	defer recommender.Close()
	for _, user := range []string{"ann", "cid"} {
		items, err := recommender.Recommend(recore.IDOf(user), 1)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(user, items[0].ID)
	}
	// Output:
	// ann idared
	// cid williams
}

func ExampleOnEpoch() {
	data := fruit()
	defer data.Close()
	model, err := recore.Train(context.Background(), data, "bprmf", recore.Epochs(100), recore.Set("emb_size", 4),
		recore.OnEpoch(func(e recore.Event) error {
			if e.Epoch == 3 {
				return recore.Stop
			}
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	info, err := model.Describe()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Model, info.Epoch)
	// Output: bprmf 3
}

func ExampleRecommender_RecommendInto() {
	data := fruit()
	defer data.Close()
	model, _ := recore.Train(context.Background(), data, "itemknn")
	defer model.Close()
	recommender, err := model.Recommender(recore.ExcludeSeen())
	if err != nil {
		log.Fatal(err)
	}
	defer recommender.Close()
	query := recore.Query{Users: recore.IDsOf("ann", "nobody", "cid"), K: 1}
	items, scores, counts := make([]recore.ID, 3), make([]float32, 3), make([]int, 3)
	for range 1000 { // no allocation in here
		if err := recommender.RecommendInto(&query, items, scores, counts); err != nil {
			log.Fatal(err)
		}
	}
	fmt.Println(items, counts)
	// Output: [idared  williams] [1 0 1]
}

func ExampleError() {
	_, err := recore.Load(context.Background(), "no such file.rec")
	fmt.Println(errors.Is(err, recore.ErrNotFound))
	var e *recore.Error
	if errors.As(err, &e) {
		fmt.Println(e.Code, e.File)
	}
	// Output:
	// true
	// NOT_FOUND no such file.rec
}
