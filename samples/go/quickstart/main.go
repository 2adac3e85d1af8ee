// Trains BPR-MF, saves it, loads the file again and recommends: quickstart DATA MODEL.rec
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"

	"recore"
)

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: quickstart DATA MODEL.rec")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt) // Ctrl-C keeps the last finished epoch
	defer stop()
	if err := train(ctx, os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
	if err := recommend(os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func train(ctx context.Context, data, path string) error {
	all, err := recore.LoadDataset(ctx, data)
	if err != nil {
		return err
	}
	defer all.Close()
	dataset, err := all.Split(context.Background(), recore.Split{Train: 0.8, Valid: 0.1, Test: 0.1, Seed: 1})
	if err != nil {
		return err
	}
	defer dataset.Close()

	model, err := recore.Train(ctx, dataset, "bprmf",
		recore.Params(map[string]any{"epochs": 30, "batch_size": 512, "lr": 0.005}),
		recore.OnEpoch(func(e recore.Event) error {
			if e.Epoch%10 == 0 {
				fmt.Printf("epoch %3d  loss %.4f  ndcg@20 %.4f\n", e.Epoch, e.Loss, e.Metrics["ndcg@20"])
			}
			return nil
		}))
	if model == nil || err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	defer model.Close()
	report, err := model.Evaluate(context.Background(), dataset, "recall@20,ndcg@20", recore.Protocol{})
	if err != nil {
		return err
	}
	fmt.Println(report.Means)
	return model.Save(context.Background(), path)
}

func recommend(path string) error {
	model, err := recore.Load(context.Background(), path)
	if err != nil {
		return err
	}
	defer model.Close()
	recommender, err := model.Recommender(recore.ExcludeSeen())
	if err != nil {
		return err
	}
	defer recommender.Close()
	users, err := model.UserIDs([]int64{0})
	if err != nil {
		return err
	}
	user := users.At(0)
	items, err := recommender.Recommend(user, 5)
	if err != nil {
		return err
	}
	for _, item := range items {
		titles, err := model.Titles(recore.IDsOf(item.ID))
		if err != nil {
			return err
		}
		fmt.Printf("%v: item %v  %.4f  %s\n", user, item.ID, item.Score, titles[0])
	}
	return nil
}
