// Package recore trains, evaluates and serves recommenders.
//
//	dataset, err := recore.LoadDataset(ctx, "orchard.inter.gz")
//	split, err := dataset.Split(recore.Split{Seed: 1})
//	model, err := recore.Train(ctx, split, "bprmf", recore.Set("epochs", 30))
//	recommender, err := model.Recommender(recore.ExcludeSeen())
//	items, err := recommender.Recommend(recore.IDOf("u0061"), 10)
//
// Data sets, trainers, models and recommenders are objects of the library: end them with Close, which may be called twice
// and while others use them. The garbage collector ends what was not closed. Any number of goroutines may use
// a Dataset, a Model or a Recommender at once; a Trainer serves one call at a time. A call blocks its thread, so bound the
// number of goroutines that train or ask at once.
package recore

import "recore/internal/crec"

// Version is the version of the loaded library, "1.0.0".
func Version() string { return crec.RecVersionString() }
