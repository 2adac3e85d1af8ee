// Trainer's checkpoints: all state of the plugin as named tensors, the progress, and the best epoch's parameters.
#include <algorithm>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/training/trainer.h"

namespace rec {

namespace {

void append_parameters(std::vector<NamedTensor>& out, const char* prefix, const Model& model) {
  for (NamedTensor tensor : model.parameters) {
    tensor.name = prefix + tensor.name;
    tensor.kind = 0;
    out.push_back(std::move(tensor));
  }
}

void set_tensor(PluginModel& model, const rec_tensor_info_t& info, int64_t i, const TensorFile& file,
                const std::string& prefix) {
  set_from_file(model, info, i, file.require(prefix + info.name, info.dtype, info.n_dims));
}

}  // namespace

void Trainer::save_checkpoint(const Observer& observer) {
  if (!checkpoint_.is_wanted()) return;
  std::vector<NamedTensor> tensors = copies_of_tensors(*live_);
  live_columns_->append_tensors(tensors);
  const Model *best = progress_.best_model.get(), *last = progress_.last_model.get();
  if (best != nullptr) append_parameters(tensors, "best.", *best);
  if (last != nullptr && last != best) append_parameters(tensors, "last.", *last);
  checkpoint_.write(progress_.to_json(), setup_.identity(data_.hash()), tensors);
  checkpointed_ = Clock::now();
  log::write(REC_LOG_DEBUG, cat("checkpoint path=", checkpoint_.path(), " epoch=", progress_.cursor.epoch,
                                " batch=", progress_.cursor.batch));
  observer(event(REC_EVENT_CHECKPOINT));
}

// Every tensor, and the parameters of two finished epochs.
int64_t Trainer::largest_checkpoint() const {
  std::vector<NamedTensor> own;
  live_columns_->append_tensors(own);
  int64_t bytes = kMaxHeaderBytes;
  for (const NamedTensor& tensor : own) bytes = checked_add(bytes, tensor.bytes());
  for (const rec_tensor_info_t& info : live_->tensors()) {
    const int64_t copies = info.kind == REC_TENSOR_PARAMETER ? 3 : 1;
    bytes = checked_add(bytes, checked_mul(copies, checked_mul(tensor_elements(info), dtype_size(info.dtype))));
  }
  return bytes;
}

void Trainer::restore(const TensorFile& file) {
  const std::vector<rec_tensor_info_t> infos = live_->tensors();
  for (size_t i = 0; i < infos.size(); ++i) set_tensor(*live_, infos[i], static_cast<int64_t>(i), file, "");
  live_columns_->restore(file);
  Progress progress;
  try {
    progress = Progress::from_json(file.manifest, setup_, rows_->batches_per_epoch());
  } catch (const Json::exception& error) {
    throw Error(REC_CORRUPT_DATA, cat("the manifest is not sound: ", printable(error.what())));
  }
  if (progress.warm_started) knows_every_item();
  if (progress.cursor.epoch > 0) {
    // The models of finished epochs, by a second instance of the plugin.
    const auto rebuild = [&](const char* prefix, const EpochRecord& record) {
      const std::unique_ptr<PluginModel> other = new_model(nullptr);
      for (size_t i = 0; i < infos.size(); ++i) {
        // STATE tensors are saved only for the live model; both rebuilt models use those.
        if (infos[i].kind == REC_TENSOR_PARAMETER)
          set_tensor(*other, infos[i], static_cast<int64_t>(i), file, prefix);
        else if (infos[i].kind == REC_TENSOR_STATE)
          set_tensor(*other, infos[i], static_cast<int64_t>(i), file, "");
      }
      return snapshot(*other, setup_.params, data_.catalog(), untrained_, info(record));
    };
    const bool best_is_last = progress.best.epoch == progress.cursor.epoch;
    if (progress.best.epoch > 0) progress.best_model = rebuild("best.", progress.best);
    progress.last_model = best_is_last ? progress.best_model : rebuild("last.", progress.last);
  }
  progress_ = std::move(progress);
}

}  // namespace rec
