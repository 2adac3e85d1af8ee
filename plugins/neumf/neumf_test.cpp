#include "tests/golden/golden_case.h"

namespace rec {
namespace {

INSTANTIATE_TEST_SUITE_P(
    NeuMf, GoldenTest,
    testing::Values(GoldenCase{"neumf_rechorus", "neumf", R"(, "emb_size": 8, "layers": [10, 6], "num_neg": 3)"},
                    GoldenCase{"neumf_rechorus", "neumf",
                               R"(, "emb_size": 8, "layers": [10, 6], "num_neg": 3, "l2": 0.01)", "adam3_l2"}),
    [](const auto& test) { return test.param.golden + "_" + test.param.variant; });

}  // namespace
}  // namespace rec
