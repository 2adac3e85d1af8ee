#include "core/plugin/host.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "core/base/rng.h"

namespace rec {
namespace {

std::vector<float> random_floats(int64_t n, uint64_t seed) {
  Rng rng(seed, RngStream::kInit);
  std::vector<float> out(n);
  for (float& value : out) value = rng.next_normal();
  return out;
}

struct Shape {
  int64_t m, n, k;
};

// Every element is one chain of fused multiply-adds, so a slow loop gives the same bits.
TEST(Matmul, IsOneChainAnElementWithEitherSideTransposedAndAdded) {
  for (const Shape shape : {Shape{1, 1, 1}, Shape{3, 5, 7}, Shape{17, 16, 9}, Shape{64, 33, 70}, Shape{100, 300, 40}})
    for (int32_t flags = 0; flags < 8; ++flags) {
      SCOPED_TRACE(testing::Message() << shape.m << " x " << shape.n << " x " << shape.k << " flags " << flags);
      const auto [m, n, k] = shape;
      const auto a = random_floats(m * k, 1), b = random_floats(k * n, 2);
      const bool at = (flags & REC_MATMUL_TRANSPOSE_A) != 0, bt = (flags & REC_MATMUL_TRANSPOSE_B) != 0;
      const auto before = random_floats(m * n, 3);
      for (int threads : {1, 2, 7}) {
        auto got = before;
        ThreadPool pool(threads);
        rec_call_t call{&pool, nullptr, {}};
        ASSERT_EQ(host_table().matmul(&call, flags, m, n, k, a.data(), b.data(), got.data()), REC_OK);
        for (int64_t i = 0; i < m; ++i)
          for (int64_t j = 0; j < n; ++j) {
            float chain = (flags & REC_MATMUL_ADD) != 0 ? before[i * n + j] : 0;
            for (int64_t p = 0; p < k; ++p)
              chain = std::fma(a[at ? p * m + i : i * k + p], b[bt ? j * k + p : p * n + j], chain);
            ASSERT_EQ(got[i * n + j], chain) << i << ", " << j << " with " << threads << " threads";
          }
      }
    }
}

TEST(Matmul, RefusesAnEmptyChain) {
  rec_call_t call{};
  float c = 1;
  EXPECT_EQ(host_table().matmul(&call, 0, 1, 1, 0, &c, &c, &c), REC_INVALID_ARGUMENT);
  EXPECT_EQ(host_table().matmul(&call, 0, 0, 4, 4, nullptr, nullptr, nullptr), REC_OK);
}

TEST(RandomUniform, GivesTheNumbersOfItsKeyInOrder) {
  for (int64_t n : {1, 63, 64, 65, 200}) {
    SCOPED_TRACE(n);
    std::vector<float> got(n);
    host_table().random_uniform(11, 3, 2, 7, -1, 3, got.data(), n);
    Rng rng(11, static_cast<RngStream>(static_cast<uint32_t>(RngStream::kPlugin) + 3), 2, 7);
    for (float x : got) ASSERT_EQ(x, -1 + 4 * rng.next_float());
  }
}

TEST(Activations, AreWithinAFewUnitsOfTheLastPlace) {
  std::vector<float> x;
  for (float value = -30; value <= 30; value += 0.037f) x.push_back(value);
  x.insert(x.end(), {0.f, -0.f, 1e-6f, -1e-6f, 90.f, -90.f, INFINITY, -INFINITY});
  std::vector<float> sigmoid(x.size()), tanh(x.size());
  host_table().sigmoid(x.data(), std::ssize(x), sigmoid.data());
  host_table().tanh(x.data(), std::ssize(x), tanh.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const double s = 1 / (1 + std::exp(-static_cast<double>(x[i])));
    EXPECT_NEAR(sigmoid[i], s, 2e-7 * s + 1e-38) << "sigmoid " << x[i];
    EXPECT_NEAR(tanh[i], std::tanh(static_cast<double>(x[i])), 2e-7) << "tanh " << x[i];
  }
}

}  // namespace
}  // namespace rec
