#include "plugins/common/plugin.h"

#include "plugins/ease/ease.h"

namespace {

constexpr rec_param_t kParams[] = {
    {"lambda", REC_PARAM_FLOAT, 0, "500", 1e-3, 1e9, nullptr,
     "ridge added to the diagonal of the co-occurrence matrix"},
};

constexpr int64_t kCapabilities = REC_CAP_TRAIN | REC_CAP_ITEM_WEIGHTS | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::ease::Ease>::make(
    "ease", "1.0.0", "linear item-item model in closed form: hard to beat up to some ten thousand items",
    "Steck, Embarrassingly Shallow Autoencoders for Sparse Data, WWW 2019", 1, kCapabilities, kParams,
    sizeof kParams / sizeof *kParams);

}  // namespace

REC_PLUGIN_ENTRY(ease, "1.0.0", "") {
  (void)host;
  return &kTable;
}
