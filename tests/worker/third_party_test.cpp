// The third-party samples as a C program uses them: it names a folder; the plugin in plain C trains in this process, the one
// over LibTorch in a worker.
#include <fstream>

#include "tests/conformance/worlds.h"

namespace rec::test {
namespace {

std::string mapped_files() {
  std::ifstream in("/proc/self/maps");
  return {std::istreambuf_iterator<char>(in), {}};
}

class ThirdParty : public testing::TestWithParam<const char*>, protected Worlds {};

TEST_P(ThirdParty, TrainsWhereItsRuntimeMayBe) {
  add_plugins();
  const auto data = checkerboard();
  const auto t = make<rec_trainer_t>([&](rec_trainer_t** out, rec_error_t** error) {
    return rec_trainer_create(data.get(), GetParam(), R"({"emb_size": 8, "epochs": 2})", nullptr, nullptr, out, error);
  });
  call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
  const auto model = model_of(t.get());
  EXPECT_EQ(top_k(recommender(model.get()).get(), {1000}, 3).status[0], REC_OK);
  const bool is_here = mapped_files().find("librecore_" + std::string(GetParam()) + ".so") != std::string::npos;
  EXPECT_EQ(is_here, std::string(GetParam()) == "fism");
}

const char* const kSamples[] = {
    "fism",
#ifdef REC_WITH_TORCH
    "simplex",
#endif
};
INSTANTIATE_TEST_SUITE_P(Samples, ThirdParty, testing::ValuesIn(kSamples),
                         [](const auto& row) { return std::string(row.param); });

}  // namespace
}  // namespace rec::test
