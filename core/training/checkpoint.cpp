// Trainer's checkpoints: all state of the plugin as named tensors, the cursor, and the best epoch's parameters.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/base/files.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/training/trainer.h"

namespace rec {

namespace {

constexpr std::string_view kFormat = "recore.checkpoint";

// JSON has no number for these: null is NaN, an infinity is its sign.
Json number(double value) {
  if (std::isnan(value)) return nullptr;
  return std::isinf(value) ? Json(value > 0 ? "+" : "-") : Json(value);
}
double to_double(const Json& value) {
  if (value.is_null()) return std::nan("");
  const double infinity = std::numeric_limits<double>::infinity();
  return value == "+" ? infinity : value == "-" ? -infinity : value.get<double>();
}

void add_parameters(std::vector<NamedTensor>& out, const char* prefix, const Model& model) {
  for (NamedTensor tensor : model.parameters) {
    tensor.name = prefix + tensor.name;
    tensor.kind = 0;
    out.push_back(std::move(tensor));
  }
}

void set_tensor(PluginModel& model, const std::vector<rec_tensor_info_t>& infos, size_t i, const TensorFile& file,
                const std::string& prefix) {
  const rec_tensor_info_t& info = infos[i];
  const NamedTensor& tensor = file.require(prefix + info.name, info.dtype, static_cast<size_t>(info.n_dims));
  if (!std::equal(tensor.shape.begin(), tensor.shape.end(), info.shape))
    throw Error(REC_CORRUPT_DATA, cat("the checkpoint's tensor '", tensor.name, "' has another shape"));
  model.set_tensor(static_cast<int64_t>(i), tensor.data);
}

}  // namespace

std::string dataset_hash(const Dataset& data) {
  XXH3_state_t state;
  XXH3_64bits_reset(&state);
  const auto add = [&](const auto& buffer) {
    const auto n = static_cast<int64_t>(buffer.size());
    XXH3_64bits_update(&state, &n, sizeof n);
    if (n > 0) XXH3_64bits_update(&state, buffer.data(), static_cast<size_t>(n) * sizeof(*buffer.data()));
  };
  for (const IdMap* ids : {&data.users, &data.items}) {
    add(ids->i64());
    add(ids->offsets());
    add(ids->bytes());
  }
  add(data.user);
  add(data.item);
  add(data.time);
  add(data.weight);
  add(data.part);
  for (const Relation& relation : data.relations) {
    add(relation.items.offsets);
    add(relation.items.columns);
  }
  for (const auto* features : {&data.user_features, &data.item_features})
    for (const Feature& feature : *features) {
      add(std::span(feature.name));
      add(feature.dense);
      add(feature.values);
    }
  if (!data.label.empty()) add(data.label);
  if (!data.impression.empty()) add(data.impression);
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(XXH3_64bits_digest(&state)));
  return text;
}

// What must be equal for a checkpoint to be of this run. Epochs, patience and threads may change.
Json Trainer::run_identity() const {
  Json params = params_json_;
  for (const char* free : {"epochs", "patience"}) params.erase(free);
  const Protocol& p = options_.protocol;
  return {{"model", plugin_.name()},
          {"model_version", plugin_.table->model_version},
          {"parameters", std::move(params)},
          {"data_hash", data_hash_},
          {"metrics", options_.metrics},
          {"main_metric", metrics_[main_metric_].name},
          {"protocol",
           {{"rows", p.rows},
            {"candidates", p.candidates},
            {"mask", p.mask},
            {"ties", p.ties},
            {"n_candidates", p.n_candidates},
            {"seed", p.seed},
            {"max_pos", p.max_pos},
            {"max_neg", p.max_neg},
            {"history", p.history}}}};
}

void Trainer::save_checkpoint(const Observer& observer) {
  std::vector<NamedTensor> tensors;
  const std::vector<rec_tensor_info_t> infos = live_->tensors();
  for (size_t i = 0; i < infos.size(); ++i) {
    auto buffer = std::make_shared<Buffer<char>>(
        Buffer<char>::uninitialized(checked_mul(tensor_elements(infos[i]), dtype_size(infos[i].dtype))));
    live_->get_tensor(static_cast<int64_t>(i), buffer->data());
    NamedTensor tensor{infos[i].name, infos[i].dtype, infos[i].kind, {}, nullptr, buffer->data()};
    tensor.shape.assign(infos[i].shape, infos[i].shape + infos[i].n_dims);
    tensor.owner = std::move(buffer);
    tensors.push_back(std::move(tensor));
  }
  if (frequency_ != nullptr) {
    const int64_t n = frequency_->gaps().size();
    tensors.push_back(borrow_tensor<int64_t>("sampler.step", {1}, &frequency_->step));
    tensors.push_back(borrow_tensor<int64_t>("sampler.last_steps", {n}, frequency_->last_steps().data()));
    tensors.push_back(borrow_tensor<double>("sampler.gaps", {n}, frequency_->gaps().data()));
  }
  if (best_ != nullptr) add_parameters(tensors, "best.", *best_);
  if (last_ != nullptr && last_ != best_) add_parameters(tensors, "last.", *last_);
  const auto saved = [](const EpochRecord& record) {
    Json metrics = Json::array();
    for (double value : record.metrics) metrics.push_back(number(value));
    return Json{{"epoch", record.epoch}, {"metrics", std::move(metrics)}};
  };
  const Json manifest = {{"format", kFormat},
                         {"run", run_identity()},
                         {"epoch", cursor_.epoch},
                         {"batch", cursor_.batch},
                         {"loss_sum", number(loss_sum_)},
                         {"best", saved(best_epoch_)},
                         {"last", saved(last_epoch_)},
                         {"stale", stale_}};
  // A damaged file must not take the place of the whole one before it.
  write_tensor_file(options_.checkpoint_path, manifest, tensors,
                    checkpoint_damaged_ ? "" : options_.checkpoint_path + ".prev");
  checkpoint_damaged_ = false;
  log::write(REC_LOG_DEBUG,
             cat("checkpoint path=", options_.checkpoint_path, " epoch=", cursor_.epoch, " batch=", cursor_.batch));
  observer(event(REC_EVENT_CHECKPOINT));
}

// What stands at the path is moved aside by the first checkpoint and replaced by the third, so it must be one itself.
// A resumed run reads the file, and that says more of one that is damaged.
void Trainer::check_checkpoint_path() const {
  const std::string& path = options_.checkpoint_path;
  if (path.empty()) return;
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && !is_directory(folder.string()))
    throw Error(REC_NOT_FOUND, cat("checkpoint_path: there is no folder ", folder.string()))
        .at_argument("checkpoint_path");
  if (!file_exists(path)) return;
  const char* what = is_directory(path)                              ? "a folder"
                     : !std::filesystem::is_regular_file(path)       ? "no regular file"
                     : !options_.resume && !begins_as(path, kFormat) ? "no checkpoint"
                                                                     : nullptr;
  if (what != nullptr)
    throw invalid_argument("checkpoint_path", "must name a new file or a checkpoint to write over, got ",
                           printable(path), ", which is ", what);
}

// The newest checkpoint that is whole; none at all is a fresh start.
void Trainer::load_checkpoint() {
  if (options_.checkpoint_path.empty()) throw invalid_argument("resume", "needs checkpoint_path");
  std::optional<Error> damage;
  for (const std::string& path : {options_.checkpoint_path, options_.checkpoint_path + ".prev"}) {
    if (!file_exists(path)) continue;
    std::optional<TensorFile> file;
    try {
      file = read_tensor_file(path, kFormat);
    } catch (const Error& error) {
      if (error.status != REC_CORRUPT_DATA) throw;
      if (!damage) damage = error;
      checkpoint_damaged_ |= path == options_.checkpoint_path;
      log::write(REC_LOG_WARNING, cat("checkpoint_damaged path=", path, " reason=", error.message));
      continue;
    }
    const Json& theirs = file->manifest.at("run");
    const Json ours = run_identity();
    for (const auto& [key, value] : ours.items())
      if (theirs.value(key, Json()) != value)
        throw invalid_argument("checkpoint_path", path, " is of another run: its ", key, " is ",
                               printable(dump_json(theirs.value(key, Json()))), ", this run's is ",
                               printable(dump_json(value)));
    try {
      restore(*file);
    } catch (const Json::exception& error) {
      throw Error(REC_CORRUPT_DATA, cat(path, ": the manifest is not sound: ", printable(error.what())));
    }
    return;
  }
  if (damage) throw *damage;
}

void Trainer::restore(const TensorFile& file) {
  const Json& manifest = file.manifest;
  const std::vector<rec_tensor_info_t> infos = live_->tensors();
  for (size_t i = 0; i < infos.size(); ++i) set_tensor(*live_, infos, i, file, "");
  if (frequency_ != nullptr) {
    const auto read = [&](const char* name, int32_t dtype, auto* out, int64_t n) {
      const NamedTensor& tensor = file.require(name, dtype, 1);
      if (tensor.shape[0] != n)
        throw Error(REC_CORRUPT_DATA, cat("the checkpoint's tensor '", name, "' has another shape"));
      std::memcpy(out, tensor.data, static_cast<size_t>(tensor.bytes()));
    };
    const int64_t n = frequency_->gaps().size();
    read("sampler.step", REC_DTYPE_I64, &frequency_->step, 1);
    read("sampler.last_steps", REC_DTYPE_I64, frequency_->last_steps().data(), n);
    read("sampler.gaps", REC_DTYPE_F64, frequency_->gaps().data(), n);
  }
  cursor_ = {manifest.at("epoch").get<int64_t>(), manifest.at("batch").get<int64_t>()};
  loss_sum_ = to_double(manifest.at("loss_sum"));
  stale_ = manifest.at("stale").get<int64_t>();
  const auto record = [&](const Json& saved) {
    EpochRecord read{saved.at("epoch").get<int64_t>(), {}};
    for (const Json& value : saved.at("metrics")) read.metrics.push_back(to_double(value));
    if (!read.metrics.empty() && read.metrics.size() != metrics_.size())
      throw Error(REC_CORRUPT_DATA, cat("the checkpoint has ", read.metrics.size(),
                                        " metrics of an epoch, this run has ", metrics_.size()));
    return read;
  };
  best_epoch_ = record(manifest.at("best"));
  last_epoch_ = record(manifest.at("last"));
  if (cursor_.epoch != last_epoch_.epoch || cursor_.epoch < 0 || cursor_.batch < 0 ||
      cursor_.batch > rows_->batches_per_epoch() || best_epoch_.epoch < 0 || best_epoch_.epoch > cursor_.epoch ||
      stale_ < 0)
    throw Error(REC_CORRUPT_DATA, "the checkpoint's cursor is outside this run");
  if (cursor_.epoch == 0) return;

  // The models of finished epochs, by a second instance of the plugin.
  const auto rebuild = [&](const char* prefix, const EpochRecord& epoch) {
    PluginModel other(plugin_, params_, schema_);
    other.use(pool_.get(), nullptr);
    other.initialize(params_->integer("seed"));
    other.bind(view_);
    for (size_t i = 0; i < infos.size(); ++i) {
      // State that is no parameter belongs to the live model; at the end of the last epoch that is this model's.
      if (infos[i].kind == REC_TENSOR_PARAMETER)
        set_tensor(other, infos, i, file, prefix);
      else if (infos[i].kind == REC_TENSOR_STATE)
        set_tensor(other, infos, i, file, "");
    }
    return snapshot(other, params_, catalog_, info(epoch));
  };
  if (best_epoch_.epoch > 0) best_ = rebuild("best.", best_epoch_);
  last_ = best_epoch_.epoch == cursor_.epoch ? best_ : rebuild("last.", last_epoch_);
}

}  // namespace rec
