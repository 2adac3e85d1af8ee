#include "plugins/hrm/hrm.h"

#include "plugins/common/rows.h"

namespace rec::hrm {

using plugin::Floats;

namespace {

enum Stream : int32_t { kTables = 0, kQueryDropout = 8, kItemDropout = 9 };

}  // namespace

void Options::complete(const rec_schema_t&) {
  if (!interactions()) return;
  const bool softmax = loss == Loss::kInBatch;
  objective.loss = softmax ? REC_LOSS_SOFTMAX : REC_LOSS_BCE;
  objective.in_batch |= softmax;  // with any sampler: the columns and the correction are the same
}

void Hrm::plan(const Options& options, const rec_schema_t& schema, rec_plan_t& plan) {
  options.objective.plan(plan, true);
  if (options.loss == Loss::kInBatch && options.interactions()) plan.negatives = REC_NEGATIVES_IN_BATCH;
  plan.memory_bytes = plugin::weight_bytes(schema) * (schema.n_users + 2 * schema.n_items) * options.emb_size;
  plan.history_max = options.history_max;
  plugin::want_in_queries(plan, {REC_COLUMN_USER, REC_COLUMN_HISTORY, REC_COLUMN_HISTORY_LENGTH});
}

Hrm::Hrm(const Options& options, const rec_schema_t& schema)
    : options_(options),
      users_("user_emb", schema.n_users, options.emb_size, options.optimizer, plugin::Init::normal(options.init_std)),
      seq_items_("seq_item_emb", options.share_item_table ? 0 : schema.n_items, options.emb_size, options.optimizer,
                 plugin::Init::normal(options.init_std)),
      items_("item_emb", schema.n_items, options.emb_size, options.optimizer, plugin::Init::normal(options.init_std)),
      user_rows_(schema.n_users),
      item_rows_(schema.n_items),
      basket_rows_(schema.n_items),
      term_(schema.n_items, options.emb_size) {}

std::vector<plugin::Parameter*> Hrm::parameters() {
  std::vector<plugin::Parameter*> all{&users_, &items_};
  if (!options_.share_item_table) all.push_back(&seq_items_);
  return all;
}

void Hrm::initialize(const Context& context, int64_t seed) {
  int32_t stream = kTables;
  for (plugin::Parameter* table : {&users_, &seq_items_, &items_}) table->initialize(context, seed, stream++);
}

// a = pool1(items of the basket), h = pool2({user, a}), coordinate by coordinate; zeros for an empty basket or an unknown
// user.
void Hrm::pool(const Context& context, const Batch& batch, bool training, Trace& trace) const {
  const int64_t B = batch.n_rows(), d = options_.emb_size, T = batch.history_width();
  trace.stacked.assign(B * 2 * d, 0.f);
  trace.first.assign(B * d, 0);
  for (int64_t b = 0; b < B; ++b) {
    float *user = trace.stacked.data() + b * 2 * d, *basket = user + d;
    if (batch.users()[b] >= 0) std::copy_n(users_.row(batch.users()[b]), d, user);
    const int32_t n = batch.history_lengths()[b];
    for (int32_t t = 0; t < n; ++t) {
      const float* item = basket_items().row(batch.history()[b * T + t]);
      for (int64_t k = 0; k < d; ++k) {
        if (options_.items != Pooling::kMax) {
          basket[k] += item[k];
        } else if (t == 0 || item[k] > basket[k]) {  // the first among equals
          basket[k] = item[k];
          trace.first[b * d + k] = t;
        }
      }
    }
    for (int64_t k = 0; options_.items == Pooling::kMean && n > 1 && k < d; ++k) basket[k] /= static_cast<float>(n);
  }
  trace.mask.clear();
  if (training && options_.dropout > 0)
    plugin::dropout(context, {options_.seed, kQueryDropout, batch.raw.epoch, batch.raw.first_row}, options_.dropout,
                    trace.stacked, trace.mask);
  trace.pooled.resize(B * d);
  for (int64_t b = 0; b < B; ++b)
    for (int64_t k = 0; k < d; ++k) {
      const float user = trace.stacked[b * 2 * d + k], basket = trace.stacked[b * 2 * d + d + k];
      trace.pooled[b * d + k] = options_.layers == Pooling::kMax    ? std::max(user, basket)
                                : options_.layers == Pooling::kMean ? (user + basket) / 2
                                                                    : user + basket;
    }
  trace.queries = trace.pooled;
  if (options_.cosine()) plugin::normalize(trace.pooled.data(), B, d, trace.queries.data(), trace.lengths);
}

void Hrm::collect(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates();
  history_items_.clear();
  batch.append_history_items(history_items_);
  std::vector<int32_t> ids(batch.items(), batch.items() + B * C);
  if (options_.share_item_table) {  // the items of the baskets behind the candidates
    ids.insert(ids.end(), history_items_.begin(), history_items_.end());
  } else {
    basket_rows_.collect(history_items_);
    seq_items_.touch(context, basket_rows_);
  }
  item_rows_.collect(ids);
  items_.touch(context, item_rows_);
  user_rows_.collect(batch.users(), B);
  users_.touch(context, user_rows_);
}

// s = nrm(h) . nrm(item) / tau; with loss=neg_sampling s = h . item, as in the paper.
void Hrm::forward(const Context& context, const Batch& batch, bool training) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), d = options_.emb_size, n = item_rows_.size();
  pool(context, batch, training, trace_);
  Floats rows(n * d);
  items_.gather(context, item_rows_.rows().data(), n, rows.data());
  item_mask_.clear();
  if (training && options_.dropout > 0)
    plugin::dropout(context, {options_.seed, kItemDropout, batch.raw.epoch, batch.raw.first_row}, options_.dropout,
                    rows, item_mask_);
  item_vectors_ = rows;
  if (options_.cosine()) plugin::normalize(rows.data(), n, d, item_vectors_.data(), item_lengths_);
  scores_.resize(B * C);
  term_.collect(item_rows_.slots().data(), B, C);
  term_.score(context, trace_.queries.data(), item_vectors_.data(), scores_.data());
  if (options_.cosine())
    for (float& score : scores_) score /= static_cast<float>(options_.temperature);
}

// Binary cross-entropy over the candidates, its sum over a row for the paper's loss, or a softmax over the batch's items.
double Hrm::compute(const Context& context, const Batch& batch) {
  collect(context, batch);
  forward(context, batch, true);
  double loss = options_.objective.compute(context, batch, scores_, dscores_);
  float scale = options_.cosine() ? static_cast<float>(1 / options_.temperature) : 1;
  if (options_.loss == Loss::kNegSampling && options_.interactions()) {
    scale = static_cast<float>(batch.n_candidates());
    loss *= scale;
  }
  for (float& slope : dscores_) slope *= scale;
  backward(context, batch);
  return loss;
}

void Hrm::backward(const Context& context, const Batch& batch) {
  const int64_t B = batch.n_rows(), d = options_.emb_size, n = item_rows_.size();
  term_.backward(context, dscores_.data(), trace_.queries.data(), item_vectors_.data());
  // Candidates come first among the touched items, in the order the term has seen them.
  Floats& d_items = items_.gradient();
  std::fill(std::copy(term_.right_gradients.begin(), term_.right_gradients.end(), d_items.begin()), d_items.end(), 0.f);
  Floats d_pooled(term_.left_gradients.begin(), term_.left_gradients.begin() + B * d);
  if (options_.cosine()) {
    plugin::normalize_backward(item_vectors_, item_lengths_, n, d, d_items);
    plugin::normalize_backward(trace_.queries, trace_.lengths, B, d, d_pooled);
  }
  plugin::multiply(d_items.data(), item_mask_.data(), std::ssize(item_mask_));
  backward_pooling(context, batch, d_pooled);
}

// Pool 2 splits a maximum's gradient between equal entries; pool 1 gives it to the first of them.
void Hrm::backward_pooling(const Context& context, const Batch& batch, const Floats& d_pooled) {
  const int64_t B = batch.n_rows(), C = batch.n_candidates(), d = options_.emb_size;
  Floats d_users(B * d), d_items(history_items_.size() * d, 0.f);
  int64_t place = 0;  // first item of the row's basket
  for (int64_t b = 0; b < B; ++b) {
    const int64_t n = batch.history_lengths()[b];
    for (int64_t k = 0; k < d; ++k) {
      const int64_t user_at = b * 2 * d + k, basket_at = user_at + d;
      const float user = trace_.stacked[user_at], basket = trace_.stacked[basket_at];
      const float slope = d_pooled[b * d + k];
      float to_user = slope, to_basket = slope;
      if (options_.layers == Pooling::kMean || (options_.layers == Pooling::kMax && user == basket))
        to_user = to_basket = slope / 2;
      else if (options_.layers == Pooling::kMax)
        (user > basket ? to_basket : to_user) = 0;
      if (!trace_.mask.empty()) {
        to_user *= trace_.mask[user_at];
        to_basket *= trace_.mask[basket_at];
      }
      d_users[b * d + k] = to_user;
      if (n == 0) continue;
      if (options_.items == Pooling::kMax) {
        d_items[(place + trace_.first[b * d + k]) * d + k] = to_basket;
      } else {
        const float share = options_.items == Pooling::kMean ? to_basket / static_cast<float>(n) : to_basket;
        for (int64_t t = 0; t < n; ++t) d_items[(place + t) * d + k] = share;
      }
    }
    place += n;
  }
  user_rows_.sum_entries(context, d_users.data(), d, users_.gradient());
  if (!options_.share_item_table) {
    basket_rows_.sum_entries(context, d_items.data(), d, seq_items_.gradient());
    return;
  }
  for (size_t e = 0; e < history_items_.size(); ++e) {
    const int64_t slot = item_rows_.slots()[B * C + e];
    for (int64_t k = 0; k < d; ++k) items_.gradient()[slot * d + k] += d_items[e * d + k];
  }
}

void Hrm::score_live(const Context& context, const Batch& batch, float* out_scores) {
  collect(context, batch);
  forward(context, batch, false);
  std::copy(scores_.begin(), scores_.end(), out_scores);
}

void Hrm::freeze(const Context&) {
  Floats lengths;
  served_.assign(items_.data(), items_.data() + items_.n() * items_.d());
  if (!options_.cosine()) return;
  plugin::normalize(items_.data(), items_.n(), items_.d(), served_.data(), lengths);
  if (options_.objective.rows != plugin::Objective::Rows::kLabelled) return;
  // Predictions are sigmoid(score), so the score must be the one trained on.
  for (float& value : served_) value /= static_cast<float>(options_.temperature);
}

void Hrm::encode(const Context& context, const Batch& queries, float* out_vectors) const {
  Trace trace;
  pool(context, queries, false, trace);
  std::copy(trace.queries.begin(), trace.queries.end(), out_vectors);
}

rec_tensor_view_t Hrm::table(int32_t) const { return plugin::host_view(served_.data(), items_.n(), items_.d()); }

}  // namespace rec::hrm
