// What rec_plugin_api.h promises to plugins, checked by two of them: iALS over a pass of users, and a probe of encode.
#include <cmath>

#include "core/plugin/host.h"
#include "tests/conformance/capi.h"

namespace rec::test {
namespace {

void load_plugin(const char* name) {
  const std::string path = std::string(REC_BUILD_FOLDER "/lib/recore/contract/librecore_") + name + ".so";
  call([&](rec_error_t** error) { return rec_plugin_load(path.c_str(), error); });
}

using Matrix = std::vector<std::vector<double>>;

// Gauss-Jordan with pivoting.
std::vector<double> solution(Matrix a, std::vector<double> b) {
  const size_t d = b.size();
  for (size_t p = 0; p < d; ++p) {
    size_t best = p;
    for (size_t i = p; i < d; ++i)
      if (std::abs(a[i][p]) > std::abs(a[best][p])) best = i;
    std::swap(a[p], a[best]), std::swap(b[p], b[best]);
    for (size_t i = 0; i < d; ++i) {
      if (i == p) continue;
      const double factor = a[i][p] / a[p][p];
      for (size_t k = 0; k < d; ++k) a[i][k] -= factor * a[p][k];
      b[i] -= factor * b[p];
    }
  }
  for (size_t i = 0; i < d; ++i) b[i] /= a[i][i];
  return b;
}

double dot(const std::vector<double>& x, const std::vector<double>& y) {
  return std::inner_product(x.begin(), x.end(), y.begin(), 0.0);
}

constexpr double kAlpha = 10, kLambda = 0.5;

// The best row given all rows Z of the other side, by the definition: weights and targets of every cell.
std::vector<double> best_row(const std::vector<bool>& has, const Matrix& Z) {
  const size_t d = Z[0].size();
  Matrix a(d, std::vector<double>(d));
  std::vector<double> b(d);
  for (size_t j = 0; j < Z.size(); ++j)
    for (size_t k = 0; k < d; ++k) {
      const double weight = has[j] ? 1 + kAlpha : 1;
      if (has[j]) b[k] += weight * Z[j][k];
      for (size_t l = 0; l < d; ++l) a[k][l] += weight * Z[j][k] * Z[j][l];
    }
  for (size_t k = 0; k < d; ++k) a[k][k] += kLambda;
  return solution(a, b);
}

TEST(PlanOfUsers, LetsAlternatingLeastSquaresReachTheDirectSolution) {
  load_plugin("ials");
  constexpr int64_t kUsers = 23, kItems = 11, kEpochs = 3;
  constexpr size_t d = 4;
  std::vector<int64_t> users, items;
  std::vector<std::vector<bool>> has(kUsers, std::vector<bool>(kItems));
  for (int64_t u = 0; u < kUsers; ++u)
    for (int64_t i = 0; i < kItems; ++i)
      if ((u * 7 + i * 5 + u * i) % 4 == 0 || i == u % kItems) {
        users.push_back(u), items.push_back(i);
        has[u][i] = true;
      }
  const auto data = dataset(users, items);

  // The same start, then the definition. Rows of the data set follow the order of first appearance.
  std::vector<int64_t> item_of_row;
  for (int64_t item : items)
    if (std::find(item_of_row.begin(), item_of_row.end(), item) == item_of_row.end()) item_of_row.push_back(item);
  Matrix X(kUsers), Y(kItems);
  for (size_t row = 0; row < item_of_row.size(); ++row) {
    float start[d];
    host_table().random_normal(1, 0, 0, static_cast<int64_t>(row), 0, 0.1f, start, d);
    Y[item_of_row[row]].assign(start, start + d);
  }
  std::vector<double> objective(kUsers);  // of each user in the last epoch, before the items are updated
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    for (size_t u = 0; u < kUsers; ++u) {
      X[u] = best_row(has[u], Y);
      objective[u] = kLambda * dot(X[u], X[u]);
      for (size_t i = 0; i < kItems; ++i)
        objective[u] += (has[u][i] ? 1 + kAlpha : 1) * std::pow((has[u][i] ? 1 : 0) - dot(X[u], Y[i]), 2);
    }
    for (size_t i = 0; i < kItems; ++i) {
      std::vector<bool> column;
      for (size_t u = 0; u < kUsers; ++u) column.push_back(has[u][i]);
      Y[i] = best_row(column, X);
    }
  }
  double want_loss = 0;  // the mean over batches of 5 users, the last one of 3, of the mean over their users
  for (size_t first = 0; first < kUsers; first += 5) {
    const size_t n = std::min<size_t>(5, kUsers - first);
    want_loss += std::accumulate(&objective[first], &objective[first] + n, 0.0) / static_cast<double>(n) / 5;
  }

  std::vector<TopK> runs;
  for (int64_t threads : {1, 3}) {
    const auto t =
        trainer(data.get(), "ials", R"({"epochs": 3, "batch_size": 5, "threads": )" + std::to_string(threads) + "}");
    EXPECT_NEAR(run_training(t.get()), want_loss, 1e-9 * want_loss);
    std::vector<int64_t> asked(kUsers);
    std::iota(asked.begin(), asked.end(), 0);
    const auto model = model_of(t.get());
    runs.push_back(top_k(recommender(model.get()).get(), asked, kItems));
  }
  EXPECT_EQ(runs[0].scores, runs[1].scores) << "the same bits for any number of threads";
  for (size_t u = 0; u < kUsers; ++u)
    for (size_t k = 0; k < kItems; ++k) {
      const int64_t row = runs[0].rows[u * kItems + k];
      EXPECT_NEAR(runs[0].scores[u * kItems + k], dot(X[u], Y[item_of_row[row]]), 1e-5)
          << "user " << u << " item " << item_of_row[row];
    }
}

TEST(Encode, GetsTheTrainingHistoryWithItsRepetitionsAndTheUserTableIsNotRead) {
  load_plugin("probe");
  std::vector<int64_t> users, items;
  for (int64_t i = 0; i < 8; ++i) users.push_back(1), items.push_back(i);  // rows 0 .. 7 in this order
  for (int64_t i : {3, 5, 3}) users.push_back(2), items.push_back(i);      // user row 1
  const auto data = dataset(users, items);
  const auto model = train(data.get(), "probe", R"({"epochs": 2})");  // a second epoch spoils the first one's tables
  const TopK got = top_k(recommender(model.get()).get(), {2}, 8);
  ASSERT_EQ(got.status[0], REC_OK);
  std::vector<float> by_item(8);
  for (size_t k = 0; k < 8; ++k) by_item[got.rows[k]] = got.scores[k];
  EXPECT_EQ(by_item, (std::vector<float>{1, 3, 3, 5, 3, -1, -1, -1})) << "user row, length, then 3, 5, 3";
}

}  // namespace
}  // namespace rec::test
