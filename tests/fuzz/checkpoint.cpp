// Checkpoints that lie under right checksums, resumed for one epoch.
#include "core/base/staged_file.h"
#include "core/serving/recommender.h"
#include "tests/fuzz/models.h"

namespace rec::fuzz {
namespace {

struct Seeds {
  std::shared_ptr<const Dataset> data = small_data();
  std::vector<Forgery> checkpoints;
  TempFolder folder;
  std::string path() const { return folder / "a.ckpt"; }
};

TrainerOptions options_of(const Seeds& seeds) {
  TrainerOptions options;
  options.checkpoint_path = seeds.path();
  options.metrics = "ndcg@3";
  options.memory_limit_bytes = int64_t{64} << 20;
  return options;
}

Seeds& seeds() {
  static Seeds all;
  if (!all.checkpoints.empty()) return all;
  PluginRegistry::instance().add_folder(REC_PLUGINS_FOLDER);
  for (const ModelKind& kind : kModelKinds) {
    Trainer trainer(all.data, kind.name, params_of(kind, 2), options_of(all));
    trainer.run([](const TrainingEvent&) {}, nullptr);
    const Buffer<char> file = read_file(all.path());
    all.checkpoints.emplace_back(std::string(file.data(), file.size()));
    remove_if_there(all.path());
    remove_if_there(all.path() + ".prev");
  }
  return all;
}

void change_progress(Input& in, Forgery& file) {
  if (!file.manifest.is_object()) return;
  const char* key = in.one_of({"epoch", "batch", "loss_sum", "stale", "best", "last"});
  Json& value = file.manifest[key];
  Json& node = any_node(in, value);
  node = odd_json(in, node);
}

void check_answers(const Model& model) {
  for (const NamedTensor& tensor : model.parameters)
    if (tensor.dtype == REC_DTYPE_F32)
      for (const float value : tensor.as<const float>())
        if (!std::isfinite(value)) finding(cat("parameter ", tensor.name, " is not finite"));
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::fuzz::seeds();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Seeds& all = seeds();
  Input in(data, size);
  const size_t kind = in.below(std::size(kModelKinds));
  if (in.one_in(32)) {
    std::ofstream(all.path(), std::ios::binary) << in.rest();
  } else {
    Forgery file = all.checkpoints[kind];
    for (size_t n = 1 + in.below(4); n > 0; --n)
      in.one_in(2) ? change(in, file, all.checkpoints) : change_progress(in, file);
    std::ofstream(all.path(), std::ios::binary) << file.bytes(in);
  }
  attempt([&] {
    rec::TrainerOptions options = options_of(all);
    options.resume = true;
    rec::Trainer trainer(all.data, kModelKinds[kind].name, params_of(kModelKinds[kind], 3), options);
    attempt([&] { trainer.run([](const rec::TrainingEvent&) {}, nullptr); });
    for (const int32_t which : {REC_MODEL_BEST, REC_MODEL_LAST}) check_answers(*trainer.model(which));
  });
  rec::remove_if_there(all.path());
  rec::remove_if_there(all.path() + ".prev");
  return 0;
}
