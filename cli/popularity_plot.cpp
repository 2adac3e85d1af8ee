#include "cli/popularity_plot.h"

#include <algorithm>

namespace rec::cli {

namespace {

constexpr int64_t kMaxUsers = 1000;

Answers rank(const Model& model, const std::vector<int64_t>& user_rows, int64_t k, bool exclude_seen) {
  auto options = initialized<rec_recommender_options_t>(rec_recommender_options_init);
  options.exclude_seen = exclude_seen;
  options.max_k = k;
  options.n_callers = 1;
  const auto recommender = make<Recommender>(rec_recommender_create, model.get(), &options);
  auto users = initialized<rec_ids_t>(rec_ids_init);
  users.type = REC_ID_ROW;
  users.i64 = user_rows.data();
  users.n = static_cast<int64_t>(user_rows.size());
  auto request = initialized<rec_request_t>(rec_request_init);
  request.users = &users;
  request.k = k;
  Answers answers(user_rows.size(), k);
  const rec_output_t output = answers.output();
  call(rec_recommender_top_k, recommender.get(), &request, &output);
  return answers;
}

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
    popular = rank(make<Model>(rec_trainer_create_model, trainer.get(), int32_t{REC_MODEL_LAST}, &run), {0}, n_items,
                   false);
  } catch (const Failure& failure) {
    if (failure.status == REC_CANCELLED) throw;
    return plot;
  }
  const Stop::Abandonable abandonable(stop);
  std::vector<size_t> place(static_cast<size_t>(n_items));
  for (size_t i = 0; i < popular.rows.size(); ++i) {
    place[static_cast<size_t>(popular.rows[i])] = i;
    plot.interactions.push_back(static_cast<int64_t>(popular.scores[i]));
  }
  plot.n_users = std::min(n_users, kMaxUsers);
  std::vector<int64_t> users;
  for (int64_t i = 0; i < plot.n_users; ++i) users.push_back(i * n_users / plot.n_users);
  plot.recommendations.resize(plot.interactions.size());
  for (const int64_t row : rank(model, users, plot.k, true).rows)
    if (row != REC_NO_ROW) ++plot.recommendations[place[static_cast<size_t>(row)]];
  return plot;
}

}  // namespace rec::cli
