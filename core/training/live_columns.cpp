#include "core/training/live_columns.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace rec {

LiveColumns::LiveColumns(const TrainingSetup& setup, const BatchPlan& plan, int64_t batches_per_epoch)
    : batches_per_epoch_(batches_per_epoch) {
  if (plan.n_negatives > 0 && setup.params->text("sampler") == "dns") {
    n_negatives_ = setup.integer("num_neg");
    n_candidates_ = setup.integer("dns_candidates");
  }
  if (plan.wants(REC_COLUMN_LOG_Q)) frequency_.emplace(plan.n_items, setup.params->number("frequency_alpha"));
}

void LiveColumns::complete(Batch& batch, PluginModel& live) {
  if (frequency_) correct_in_batch(batch);
  if (n_negatives_ > 0) pick_dynamic_negatives(batch, live);
}

// Dynamic negative sampling: picks from each group of candidates the one that the model scores highest, first on ties.
void LiveColumns::pick_dynamic_negatives(Batch& batch, PluginModel& live) {
  Column& column = batch.column(REC_COLUMN_ITEM);
  const int64_t wide = column.extent(1);
  candidate_scores_.resize(batch.n_rows * wide);
  live.score_live(batch.view(batches_per_epoch_), candidate_scores_.data());
  auto* picked = column.data<int32_t>();  // picks move left, over candidates already examined
  for (int64_t b = 0; b < batch.n_rows; ++b) {
    const int32_t* items = column.data<int32_t>() + b * wide;
    const float* scores = candidate_scores_.data() + b * wide;
    *picked++ = items[0];
    for (int64_t k = 0; k < n_negatives_; ++k) {
      const float* group = scores + 1 + k * n_candidates_;
      *picked++ = items[1 + k * n_candidates_ + (std::max_element(group, group + n_candidates_) - group)];
    }
  }
  column.reshape<int32_t>(batch.n_rows, 1 + n_negatives_);
}

// ln p of each column, counted once per batch; a column with the row's own item is not a negative.
void LiveColumns::correct_in_batch(Batch& batch) {
  const Column& column = batch.column(REC_COLUMN_ITEM);
  const auto* items = column.data<int32_t>();
  const int64_t C = column.extent(1);
  // Row 0 holds the whole batch's items. A batch repeated after cancellation has been counted already.
  if (frequency_->step == batch.epoch * batches_per_epoch_ + batch.index)
    frequency_->observe({items, static_cast<size_t>(C)});
  auto* log_q = batch.column(REC_COLUMN_LOG_Q).data<float>();
  for (int64_t b = 0; b < batch.n_rows; ++b)
    for (int64_t c = 0; c < C; ++c) {
      const int32_t item = items[b * C + c];
      log_q[b * C + c] =
          c > 0 && item == items[b * C] ? std::numeric_limits<float>::infinity() : frequency_->log_probability(item);
    }
}

void LiveColumns::append_tensors(std::vector<NamedTensor>& out) {
  if (!frequency_) return;
  const int64_t n = frequency_->gaps().size();
  out.push_back(borrow_tensor<int64_t>("sampler.step", {1}, &frequency_->step));
  out.push_back(borrow_tensor<int64_t>("sampler.last_steps", {n}, frequency_->last_steps().data()));
  out.push_back(borrow_tensor<double>("sampler.gaps", {n}, frequency_->gaps().data()));
}

void LiveColumns::restore(const TensorFile& file) {
  if (!frequency_) return;
  const auto read = [&](const char* name, int32_t dtype, auto* out, int64_t n, int64_t max) {
    const NamedTensor& tensor = file.require(name, dtype, 1);
    if (tensor.shape[0] != n)
      throw Error(REC_CORRUPT_DATA, cat("the checkpoint's tensor '", name, "' has a different shape"));
    check_values(tensor, 0, max);
    std::memcpy(out, tensor.data, tensor.bytes());
  };
  const int64_t n = frequency_->gaps().size();
  read("sampler.step", REC_DTYPE_I64, &frequency_->step, 1, int64_t{1} << 52);
  read("sampler.last_steps", REC_DTYPE_I64, frequency_->last_steps().data(), n, frequency_->step);
  read("sampler.gaps", REC_DTYPE_F64, frequency_->gaps().data(), n, 0);
}

}  // namespace rec
