#include "plugins/common/plugin.h"

#include "plugins/popularity/popularity.h"

namespace {

constexpr int64_t kCapabilities =
    REC_CAP_TRAIN | REC_CAP_USER_TABLE | REC_CAP_ITEM_TABLE | REC_CAP_COLD_USER | REC_CAP_DETERMINISTIC;

constexpr rec_plugin_t kTable = rec::plugin::Table<rec::popularity::Popularity>::make(
    "popularity", "1.0.0", "most interacted items, the same for everybody: the floor for every comparison", "", 1,
    kCapabilities, nullptr, 0);

}  // namespace

REC_PLUGIN_ENTRY(popularity, "1.0.0", "") {
  (void)host;
  return &kTable;
}
