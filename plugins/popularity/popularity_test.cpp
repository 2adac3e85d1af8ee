#include "tests/plugin_harness.h"
#include "tests/unit/golden.h"

namespace rec {
namespace {

TEST(Popularity, CountsTrainingRowsAsTheReferenceDoes) {
  const GoldenTensors tensors("pop.safetensors");
  const auto flat = tensors.get<int32_t>("in.train_pairs");
  PluginHarness::Pairs pairs;
  int32_t n_users = 0;
  for (size_t e = 0; e < flat.size(); e += 2) {
    pairs.emplace_back(flat[e], flat[e + 1]);
    n_users = std::max(n_users, flat[e] + 1);
  }
  PluginHarness harness("popularity", "{}", n_users, 21, pairs);
  std::vector<int32_t> items;
  for (int32_t i = 0; i < 21; ++i) items.push_back(i);
  harness.compute(items, items);
  harness.model().apply();
  EXPECT_EQ(harness.get("popularity"), tensors.floats("out.popularity"));
  harness.model().freeze();
  const auto asked = tensors.get<int32_t>("in.item_id");
  const auto want = tensors.floats("out.prediction");
  const rec_tensor_view_t table = harness.model().table(REC_TABLE_ITEM);
  for (size_t e = 0; e < asked.size(); ++e) EXPECT_EQ(static_cast<const float*>(table.data)[asked[e]], want[e]);
}

}  // namespace
}  // namespace rec
