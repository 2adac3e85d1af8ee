// Calls of a recommender allocate nothing once its scratch has grown to their size.
#include <new>

#include "tests/conformance/worlds.h"
#include "tests/hooked_malloc.h"

namespace {
thread_local int64_t n_allocations = 0;
}

bool before_allocation() { return ++n_allocations, true; }

namespace rec::test {
namespace {

// How many allocations the calling thread makes in the second and third of three calls.
template <class Body>
int64_t allocations_when_warm(Body&& body) {
  body();
  const int64_t before = n_allocations;
  body();
  body();
  return n_allocations - before;
}

class Allocations : public testing::TestWithParam<const char*>, public Worlds {
 protected:
  static void SetUpTestSuite() {
    add_plugins();
    call([](rec_error_t** error) { return rec_plugin_add_folder(REC_BUILD_FOLDER "/lib/recore/test_plugins", error); });
  }
};

TEST_P(Allocations, AreNoneInWarmCalls) {
  const auto data = checkerboard(200, 60);
  const auto model = train(data.get(), GetParam(), R"({"epochs": 1})");
  for (const bool exclude_seen : {false, true}) {
    const auto asked = recommender(model.get(), exclude_seen);
    // 70 users are more than one block; some are unknown.
    std::vector<int64_t> users, history, history_offsets{0}, times, now, candidates, candidate_offsets{0};
    for (int64_t u = 0; u < 70; ++u) {
      users.push_back(u % 9 == 0 ? -u - 1 : 1000 + u);
      for (int64_t h = 0; h < u % 12; ++h) history.push_back(-50 + (5 * h + u) % 70), times.push_back(h);
      history_offsets.push_back(std::ssize(history));
      now.push_back(100);
      for (int64_t c = 0; c < u % 30; ++c) candidates.push_back(-50 + (7 * c + u) % 70);
      candidate_offsets.push_back(std::ssize(candidates));
    }
    const rec_ids_t user_ids = int64_ids(users), history_ids = int64_ids(history),
                    candidate_ids = int64_ids(candidates);
    const std::vector<uint8_t> allow(8, 0xf7), deny(8, 0x11);
    std::vector<int64_t> rows(70 * 20);
    std::vector<float> scores(std::max(rows.size(), candidates.size()));
    std::vector<rec_status_t> status(70);
    for (int variant = 0; variant < 16; ++variant) {
      const bool with_history = variant & 1, with_candidates = variant & 2, with_bits = variant & 4;
      SCOPED_TRACE(testing::Message() << "exclude_seen " << exclude_seen << ", history " << with_history
                                      << ", candidates " << with_candidates << ", bits " << with_bits);
      rec_request_t request{};
      request.struct_size = sizeof request;
      request.k = 20;
      request.users = &user_ids;
      if (with_history) {
        request.history_items = &history_ids;
        request.history_offsets = history_offsets.data();
        request.n_history_offsets = std::ssize(history_offsets);
        request.history_times = times.data();
        request.n_history_times = std::ssize(times);
        request.request_times = now.data();
        request.n_request_times = std::ssize(now);
      }
      if (with_candidates) {
        request.candidates = &candidate_ids;
        request.candidate_offsets = candidate_offsets.data();
        request.n_candidate_offsets = std::ssize(candidate_offsets);
      }
      if (with_bits) {
        request.allow_bits = allow.data(), request.n_allow_bytes = std::ssize(allow);
        request.deny_bits = deny.data(), request.n_deny_bytes = std::ssize(deny);
      }
      rec_output_t output = output_to(rows, scores, status);
      if (variant & 8) output.scores = nullptr;
      rec_status_t last = REC_OK;
      EXPECT_EQ(
          allocations_when_warm([&] { last = rec_recommender_top_k(asked.get(), &request, &output, nullptr); }), 0);
      EXPECT_EQ(last, REC_OK);
      if (!with_candidates) continue;
      output = output_to(rows, scores, status);
      EXPECT_EQ(
          allocations_when_warm([&] { last = rec_recommender_score(asked.get(), &request, &output, nullptr); }), 0);
      EXPECT_EQ(last, REC_OK);
    }
    if (std::string(GetParam()) == "by_score") continue;
    rec_status_t last = REC_OK;
    std::vector<int64_t> similar(history.size() * 3);
    std::vector<float> similar_scores(similar.size());
    std::vector<rec_status_t> known(history.size());
    const rec_output_t output = output_to(similar, similar_scores, known);
    EXPECT_EQ(allocations_when_warm(
                  [&] { last = rec_recommender_similar_items(asked.get(), &history_ids, 3, nullptr, 0, nullptr, 0, &output, nullptr); }),
              0);
    EXPECT_EQ(last, REC_OK);
  }
}

INSTANTIATE_TEST_SUITE_P(ServedBy, Allocations, testing::Values("bprmf", "itemknn", "fism", "by_score"),
                         [](const auto& test) { return std::string(test.param); });

// More items than the library scores at a time: the plugin gets them in blocks, with the same answer as for all at once.
TEST_F(Allocations, OfAModelServedByItsPluginDoNotGrowWithTheItems) {
  constexpr int64_t kItems = 200000, kWanted = 500;
  std::vector<int64_t> users, items;
  for (int64_t i = 0; i < kItems; ++i) users.push_back(i % 50), items.push_back(i);
  const auto data = dataset(users, items);
  const auto model = train(data.get(), "by_score", "{}");
  const auto asked = recommender(model.get());
  const std::vector<int64_t> user{-1}, history{3, 70000, 199999}, offsets{0, 3}, times{0, 0, 0};
  const rec_ids_t user_ids = int64_ids(user), history_ids = int64_ids(history);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.k = kWanted;
  request.users = &user_ids;
  request.history_items = &history_ids;
  request.history_offsets = offsets.data();
  request.n_history_offsets = std::ssize(offsets);
  request.history_times = times.data();
  request.n_history_times = std::ssize(times);
  std::vector<int64_t> rows(kWanted);
  std::vector<float> scores(kWanted);
  std::vector<rec_status_t> status(1);
  const rec_output_t output = output_to(rows, scores, status);
  call([&](rec_error_t** error) { return rec_recommender_top_k(asked.get(), &request, &output, error); });
  uint32_t hash = 1;
  for (int64_t item : history) hash = hash * 31 + static_cast<uint32_t>(item);
  std::vector<std::pair<float, int64_t>> expected;
  for (int64_t i = 0; i < kItems; ++i)
    expected.emplace_back(-static_cast<float>((hash + static_cast<uint32_t>(i)) * 2654435761u % 1000), i);
  std::sort(expected.begin(), expected.end());
  for (size_t j = 0; j < kWanted; ++j) ASSERT_EQ(std::pair(-scores[j], rows[j]), expected[j]) << "place " << j;
}

}  // namespace
}  // namespace rec::test
