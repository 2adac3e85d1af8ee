#include <cmath>

#include "core/plugin/host.h"
#include "tests/unit/kernels_fixture.h"

namespace rec::kernels {
namespace {

// M^T M + I, symmetric positive definite.
template <class T>
std::vector<T> definite_systems(int64_t n, int64_t d, uint64_t seed) {
  std::vector<T> a(at(n * d * d));
  for (int64_t s = 0; s < n; ++s) {
    const auto m = random_floats(d * d, seed + static_cast<uint64_t>(s));
    for (int64_t i = 0; i < d; ++i)
      for (int64_t j = 0; j < d; ++j) {
        double sum = i == j ? 1 : 0;
        for (int64_t k = 0; k < d; ++k) sum += static_cast<double>(m[at(k * d + i)]) * m[at(k * d + j)];
        a[at((s * d + i) * d + j)] = static_cast<T>(sum);
      }
  }
  return a;
}

template <class T>
void expect_solutions(int64_t (*KernelTable::*kernel)(const Systems<T>&, int64_t, int64_t), double tolerance) {
  constexpr int64_t n = 5;
  for (int64_t d : kAwkwardSizes) {
    if (d > 100) continue;
    const std::vector<T> a = definite_systems<T>(n, d, 31);
    const auto given = random_floats(n * d, 32);
    const std::vector<T> b(given.begin(), given.end());
    std::vector<T> expected;
    for (const KernelTable* level : all_levels()) {
      SCOPED_TRACE(testing::Message() << level->name << " d " << d);
      std::vector<T> factor = a, x = b;
      for (int64_t s = 0; s < n; ++s)  // the lower triangle is not read
        for (int64_t i = 0; i < d; ++i)
          for (int64_t j = 0; j < i; ++j) factor[at((s * d + i) * d + j)] = static_cast<T>(kNan);
      const Systems<T> job{factor.data(), x.data(), d};
      EXPECT_EQ((level->*kernel)(job, 0, 2), -1);
      EXPECT_EQ((level->*kernel)(job, 2, n), -1);
      for (int64_t s = 0; s < n; ++s)
        for (int64_t i = 0; i < d; ++i) {
          double left = 0, size = 1;
          for (int64_t k = 0; k < d; ++k) {
            left += static_cast<double>(a[at((s * d + i) * d + k)]) * x[at(s * d + k)];
            size += std::abs(static_cast<double>(a[at((s * d + i) * d + k)]) * x[at(s * d + k)]);
          }
          EXPECT_NEAR(left, b[at(s * d + i)], tolerance * size);
        }
      if (expected.empty()) expected = x;
      expect_same_bits(x, expected);
    }
  }
}

TEST(Solve, GivesTheSameBitsAtEveryLevelAndSolvesTheSystem) {
  expect_solutions<double>(&KernelTable::solve_f64, 1e-11);
  expect_solutions<float>(&KernelTable::solve_f32, 1e-3);
}

TEST(Solve, NamesTheFirstSystemThatIsNotPositiveDefinite) {
  constexpr int64_t n = 40, d = 3;
  std::vector<double> a = definite_systems<double>(n, d, 33), b(at(n * d), 1.0);
  a[at(7 * d * d)] = -1;
  a[at(31 * d * d + d + 1)] = kNan;
  ThreadPool pool(3);
  rec_call_t call{&pool, nullptr, {}};
  EXPECT_EQ(host_table().solve(&call, REC_DTYPE_F64, n, d, a.data(), b.data()), REC_NUMERIC);
  EXPECT_EQ(call.message, "solve: system 7 is not positive definite");
  EXPECT_EQ(host_table().solve(&call, REC_DTYPE_I32, n, d, a.data(), b.data()), REC_INVALID_ARGUMENT);
}

struct AugmentArrays {
  int64_t B, C, H, d;
  std::vector<int32_t> user_slots, item_slots;
  std::vector<float> users, user_gates, items, item_gates, margin_weight, margin_bias, noise;
};

AugmentArrays random_batch(int64_t B, int64_t K, int64_t H, int64_t d) {
  const int64_t n_users = B, n_items = B + 2;
  return {B,
          K + 1,
          H,
          d,
          random_rows(B, n_users, 41),
          random_rows(B * (K + 1), n_items, 42),
          random_floats(n_users * H * d, 43),
          random_floats(n_users * H * d, 44),
          random_floats(n_items * H * d, 45),
          random_floats(n_items * H * d, 46),
          random_floats(d, 47),
          random_floats(1, 48),
          random_floats(B * K * H * d, 49)};
}

TEST(Augment, GivesTheSameBitsAtEveryLevel) {
  for (const auto& [B, K, H, d] : {std::array<int64_t, 4>{1, 1, 1, 1}, {4, 3, 2, 13}, {5, 17, 3, 64}, {3, 8, 1, 16}}) {
    const AugmentArrays in = random_batch(B, K, H, d);
    std::vector<std::vector<float>> expected;
    for (const KernelTable* level : all_levels()) {
      SCOPED_TRACE(testing::Message() << level->name << " B " << B << " K " << K << " H " << H << " d " << d);
      std::vector<float> d_users(at(B * H * d)), d_user_gates = d_users, d_items(at(B * in.C * H * d)),
                                                 d_item_gates = d_items, d_margin(at(B * (d + 1))), selected_as_floats;
      std::vector<int32_t> selected(at(B * H));
      std::vector<double> losses(at(B * 4));
      const Augment job{B,
                        in.C,
                        H,
                        d,
                        in.user_slots.data(),
                        in.item_slots.data(),
                        in.users.data(),
                        in.user_gates.data(),
                        in.items.data(),
                        in.item_gates.data(),
                        in.margin_weight.data(),
                        in.margin_bias.data(),
                        in.noise.data(),
                        0.5f,
                        0.1f,
                        0.01f,
                        0.7,
                        d_users.data(),
                        d_user_gates.data(),
                        d_items.data(),
                        d_item_gates.data(),
                        selected.data(),
                        d_margin.data(),
                        losses.data()};
      std::vector<float> scratch(at(augment_scratch(job)));
      level->augment_rows(job, scratch.data(), 0, B / 2);
      level->augment_rows(job, scratch.data(), B / 2, B);
      std::vector<float> halves;  // of the losses' bits, so that everything is compared as floats
      for (double loss : losses) {
        float half[2];
        std::memcpy(half, &loss, sizeof half);
        halves.insert(halves.end(), half, half + 2);
      }
      const std::vector<std::vector<float>> got{
          d_users, d_user_gates, d_items, d_item_gates, d_margin, halves, {selected.begin(), selected.end()}};
      if (expected.empty()) expected = got;
      for (size_t a = 0; a < got.size(); ++a) expect_same_bits(got[a], expected[a]);
    }
  }
}

TEST(Augment, RefusesAnEmptyBatch) {
  rec_augment_t job{};
  double losses[4];
  rec_call_t call;
  EXPECT_EQ(host_table().augment(&call, &job, losses), REC_INVALID_ARGUMENT);
}

}  // namespace
}  // namespace rec::kernels
