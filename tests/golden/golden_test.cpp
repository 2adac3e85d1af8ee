#include "tests/golden/golden_case.h"

namespace rec {

// Each plugin's test instantiates it for the plugin's reference files.
TEST_P(GoldenTest, ReproducesScoresLossGradientsAndThreeSteps) { check(); }

}  // namespace rec
