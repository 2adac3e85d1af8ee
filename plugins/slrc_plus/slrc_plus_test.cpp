#include "plugins/slrc_plus/excitation.h"
#include "tests/golden/golden_case.h"

namespace rec {
namespace {

using slrc_plus::Kernel;

// The reference gives intervals; here they come from histories. Each interval of relation r >= 1 gets an item of its own,
// beyond the reference's 21, that relation r leads from to the candidate; relation 0 is the candidate itself.
class SlrcPlusGolden : public testing::Test {
 protected:
  static constexpr int64_t kUsers = 13, kItems = 21, kNow = 20'000'000'000, kUnit = 10'000'000;

  SlrcPlusGolden() {
    const auto users = tensors_.get<int32_t>("in.user_id"), items = tensors_.get<int32_t>("in.item_id");
    const auto intervals = tensors_.floats("in.relational_interval");
    const auto shape = tensors_.shape("in.relational_interval");
    const int64_t B = shape[0], C = shape[1], R = shape[2];
    batch_users_ = users;
    batch_items_ = items;
    int32_t next = kItems;
    std::vector<std::vector<int32_t>> heads(R - 1), targets(heads.size());
    for (int64_t b = 0; b < B; ++b) {
      std::vector<std::pair<int64_t, int32_t>> events;
      for (int64_t c = 0; c < C; ++c)
        for (int64_t r = 0; r < R; ++r) {
          const float interval = intervals[(b * C + c) * R + r];
          if (interval < 0) continue;
          const int32_t item = items[b * C + c];
          const int64_t time = kNow - std::llround(static_cast<double>(interval) * kUnit);
          events.emplace_back(time, r == 0 ? item : next);
          if (r == 0) continue;
          heads[r - 1].push_back(next++);
          targets[r - 1].push_back(item);
        }
      std::sort(events.begin(), events.end());
      histories_.emplace_back();
      times_.emplace_back();
      for (const auto& [time, item] : events) {
        histories_.back().push_back(item);
        times_.back().push_back(time);
      }
    }
    n_items_ = next;
    for (size_t r = 0; r < heads.size(); ++r) relations_.push_back(PluginHarness::csr(heads[r], targets[r], n_items_));
  }

  std::unique_ptr<PluginHarness> make(const std::string& more) const {
    HarnessData data;
    for (const Csr& relation : relations_)
      data.relations.push_back({"r", {relation.offsets.copy(), relation.columns.copy()}});
    auto harness = std::make_unique<PluginHarness>(
        "slrc_plus", cat("{\"emb_size\": 8, \"lr\": 0.01, \"num_neg\": 3, \"time_scalar\": ", kUnit, more, "}"), kUsers,
        n_items_, PluginHarness::Pairs{{1, 1}}, 2, std::move(data));
    for (const std::string& name : tensors_.names_after("param.")) {
      auto values = tensors_.floats("param." + name);
      values.resize(harness->get(name).size());
      harness->set(name, values);
    }
    return harness;
  }
  Batch batch() const {
    Batch batch = PluginHarness::batch_of(batch_users_, batch_items_);
    PluginHarness::add_histories(batch, histories_);
    const int64_t T = batch.column(REC_COLUMN_HISTORY).extent(1);
    auto* times = batch.column(REC_COLUMN_HISTORY_TIME).reshape<int64_t>(batch.n_rows, T);
    std::fill_n(times, batch.n_rows * T, 0);
    for (size_t b = 0; b < times_.size(); ++b)
      std::copy(times_[b].begin(), times_[b].end(), times + static_cast<int64_t>(b) * T);
    std::fill_n(batch.column(REC_COLUMN_TIME).reshape<int64_t>(batch.n_rows), batch.n_rows, kNow);
    return batch;
  }
  // Items beyond the reference's have no part in the loss.
  void expect_near(const std::vector<float>& got, std::vector<float> want, double tolerance,
                   const std::string& what) const {
    want.resize(got.size());
    Reference::expect_near(got, want, tolerance, what);
  }

  const Reference tensors_{"slrcplus_rechorus"};
  std::vector<int32_t> batch_users_, batch_items_;
  std::vector<std::vector<int32_t>> histories_;
  std::vector<std::vector<int64_t>> times_;
  std::vector<Csr> relations_;
  int64_t n_items_ = 0;
};

TEST_F(SlrcPlusGolden, ReproducesScoresLossGradientsAndThreeSteps) {
  for (const std::string variant : {"adam3", "adam3_l2"}) {
    SCOPED_TRACE(variant);
    const double l2 = variant == "adam3_l2" ? tensors_.hyper()["l2_variant"].get<double>() : 0;
    const auto harness = make(cat(", \"l2\": ", l2));
    expect_near(harness->score_live(batch()), tensors_.floats("out.prediction"), tensors_.tolerance("out"), "scores");
    const auto losses = tensors_.doubles("f64." + variant + "_losses");
    for (int step = 0; step < 3; ++step) {
      EXPECT_NEAR(harness->compute(batch()), losses[step], 2e-5) << "step " << step + 1;
      if (step == 0)
        for (const std::string& name : tensors_.names_after("grad."))
          expect_near(harness->gradient(name), tensors_.floats("grad." + name), tensors_.tolerance("grad"),
                      "grad." + name);
      harness->model().apply();
    }
    for (const std::string& name : tensors_.parameters()) {
      auto got = harness->get(name);
      const auto want = tensors_.floats(variant + "." + name);
      got.resize(want.size());
      // The loss does not depend on user_bias: its gradient is rounding noise, which Adam turns into a full step.
      for (int32_t user : batch_users_)
        if (name == "user_bias") got[user] = want[user];
      tensors_.expect_stepped(variant, name, got);
    }
  }
}

// protocol.json has each evaluation row's intervals from the reference's reader over a small data set.
TEST(SlrcPlusIntervals, AreThoseOfTheReferencesReader) {
  const auto readers = golden_json("protocol.json")["cases"]["rechorus_readers"];
  std::vector<std::vector<int32_t>> heads(2), targets(2);
  for (const auto& triplet : readers["triplets"]) {
    heads[triplet[1].get<size_t>() - 1].push_back(triplet[0]);
    targets[triplet[1].get<size_t>() - 1].push_back(triplet[2]);
  }
  std::vector<Csr> csrs;
  std::vector<rec_csr_t> relations;
  for (size_t r = 0; r < 2; ++r) csrs.push_back(PluginHarness::csr(heads[r], targets[r], 8));
  for (const Csr& csr : csrs) relations.push_back({csr.offsets.data(), csr.columns.data(), 8, 8});
  for (const char* part : {"slrc_dev", "slrc_test"}) {
    const auto& times_of_rows = readers[part == std::string("slrc_dev") ? "rows_dev" : "rows_test"]["rows"];
    for (size_t row = 0; row < readers[part].size(); ++row) {
      SCOPED_TRACE(cat(part, " row ", row));
      const auto& want = readers[part][row];
      const auto items = want["item_id"].get<std::vector<int32_t>>(),
                 history = want["history_items"].get<std::vector<int32_t>>();
      const auto times = want["history_times"].get<std::vector<int64_t>>();
      std::vector<float> got(items.size() * 3);
      slrc_plus::last_intervals(relations.data(), 2, history.data(), times.data(), std::ssize(history),
                                times_of_rows[row][2], 8640000, items.data(), std::ssize(items), got.data());
      for (size_t c = 0; c < items.size(); ++c)
        for (size_t r = 0; r < 3; ++r)
          EXPECT_FLOAT_EQ(got[c * 3 + r], want["relational_interval"][c][r].get<float>()) << c << ", " << r;
    }
  }
}

TEST(SlrcPlusIntervals, LeaveOutWhatIsToCome) {
  const int32_t history[] = {4, 5, 4}, items[] = {4, 5};
  const int64_t times[] = {100, std::numeric_limits<int64_t>::max(), 1000};
  float out[2];
  slrc_plus::last_intervals(nullptr, 0, history, times, 3, 500, 100, items, 2, out);
  EXPECT_EQ(out[0], 4);
  EXPECT_EQ(out[1], -1);
}

TEST(SlrcPlusKernel, HasTheSlopesOfItsValue) {
  const double start[] = {0.1, -0.3, 0.2, -0.4}, h = 1e-6;
  for (double t : {0.0, 0.3, 2.5}) {
    const auto at = [&](int p, double step) {
      double x[] = {start[0], start[1], start[2], start[3]};
      x[p] += step;
      return Kernel::of(x[0], x[1], x[2], x[3]).at(t);
    };
    const auto k = slopes(Kernel::of(start[0], start[1], start[2], start[3]), t);
    const double got[] = {k.pi, k.beta, k.omega, k.mu};
    EXPECT_DOUBLE_EQ(k.value, at(0, 0));
    for (int p = 0; p < 4; ++p) EXPECT_NEAR(got[p], (at(p, h) - at(p, -h)) / (2 * h), 1e-7) << "parameter " << p;
  }
  EXPECT_EQ(slopes(Kernel::of(0, 20, 20, 0), 1).beta, 0) << "beyond the clamp";
  EXPECT_EQ(slopes(Kernel::of(0, 20, 20, 0), 1).omega, 0);
}

}  // namespace
}  // namespace rec
