#include "cli/popularity_plot.h"

#include <algorithm>

namespace rec::cli {

namespace {

constexpr int64_t kMaxUsers = 1000;

}  // namespace

PopularityPlot popularity_plot(const Model& model, const Dataset& dataset, Stop& stop) {
  PopularityPlot plot;
  int64_t n_users = 0, n_items = 0;
  call(rec_model_counts, model.get(), &n_users, &n_items);
  Answers popular(0, 0);
  try {
    // The popularity model's score of an item is its count in training.
    const rec_run_options_t run = stop.run();
    const auto trainer = make<Trainer>(rec_trainer_create, dataset.get(), "popularity", nullptr, nullptr, &run);
    call(rec_trainer_run, trainer.get(), &run);
    const auto counts = make<Model>(rec_trainer_create_model, trainer.get(), int32_t{REC_MODEL_LAST}, &run);
    popular = top_k(make_recommender(counts, n_items, false), REC_ID_ROW, {0}, n_items);
  } catch (const Failure& failure) {
    if (failure.status == REC_CANCELLED) throw;
    return plot;
  }
  const Stop::Abandonable abandonable(stop);
  std::vector<size_t> place(n_items);
  for (size_t i = 0; i < popular.rows.size() && popular.rows[i] != REC_NO_ROW; ++i) {  // those with a training row
    place[popular.rows[i]] = i;
    plot.interactions.push_back(static_cast<int64_t>(popular.scores[i]));
  }
  plot.n_users = std::min(n_users, kMaxUsers);
  std::vector<int64_t> users;
  for (int64_t i = 0; i < plot.n_users; ++i) users.push_back(i * n_users / plot.n_users);
  plot.recommendations.resize(plot.interactions.size());
  const Answers answers = top_k(make_recommender(model, plot.k, true), REC_ID_ROW, users, plot.k);
  for (const int64_t row : answers.rows)
    if (row != REC_NO_ROW) ++plot.recommendations[place[row]];
  return plot;
}

}  // namespace rec::cli
