// Parameters of every model, as text and as odd values under right names.
#include "core/plugin/loop_params.h"
#include "tests/fuzz/models.h"

namespace rec::fuzz {
namespace {

struct Target {
  std::string model;
  std::vector<std::string> names;
};

const std::vector<Target>& targets() {
  static const std::vector<Target> all = [] {
    PluginRegistry& registry = PluginRegistry::instance();
    registry.add_folder(REC_PLUGINS_FOLDER);
    std::vector<Target> made;
    for (const ModelKind& kind : kModelKinds) {
      if (!made.empty() && made.back().model == kind.name) continue;
      Target target{kind.name, {}};
      for (const auto& table : {registry.find(kind.name).params(), loop_params()})
        for (const rec_param_t& param : table) target.names.push_back(param.name);
      made.push_back(std::move(target));
    }
    return made;
  }();
  return all;
}

}  // namespace
}  // namespace rec::fuzz

int LLVMFuzzerInitialize(int*, char***) {
  rec::fuzz::targets();
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace rec::fuzz;
  Input in(data, size);
  const Target& target = targets()[in.below(targets().size())];
  rec::TrainerOptions options;
  std::string params;
  if (in.one_in(2)) {
    params = in.rest();
  } else {
    Json object = Json::object();
    while (!in.empty()) {
      Json value = odd_json(in);
      if (in.one_in(4))
        value = in.one_of({"uniform", "in_batch", "dns", "topk", "ctr", "impression", "adam", "official"});
      object[target.names[in.below(target.names.size())]] = std::move(value);
      if (in.one_in(16)) options.metrics = in.text(in.below(32));
    }
    params = rec::dump_json(object);
  }
  attempt([&] { rec::TrainingSetup(target.model, params, options); });
  return 0;
}
