// Every allocation of an operation fails once, alone and with all that follow: the call returns OUT_OF_MEMORY, or
// succeeds without it, and the same call then works.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>

#include "core/base/error.h"
#include "tests/conformance/worlds.h"
#include "tests/hooked_malloc.h"
#include "tests/unit/temp_folder.h"

namespace {
std::atomic<int64_t> n_allocations{0}, first_to_fail{INT64_MAX}, last_to_fail{-1};
}

bool before_allocation() {
  const int64_t n = n_allocations.fetch_add(1, std::memory_order_relaxed);
  return n < first_to_fail.load(std::memory_order_relaxed) || n > last_to_fail.load(std::memory_order_relaxed);
}

namespace rec::test {
namespace {

// The library's answer while allocation n, counted from the start of the call, fails.
struct Answer {
  rec_status_t status;
  bool complete;  // nothing failed, as the call made fewer allocations
};
Answer with_failing(int64_t n, bool all_later, const std::function<rec_status_t()>& call) {
  n_allocations = 0;
  last_to_fail = all_later ? INT64_MAX : n;
  first_to_fail = n;
  const rec_status_t status = call();
  first_to_fail = INT64_MAX;
  return {status, n_allocations <= n};
}

class FailingMemory : public testing::Test, public Worlds {
 protected:
  static void SetUpTestSuite() {
    add_plugins();
    call([](rec_error_t** error) { return rec_plugin_add_folder(REC_BUILD_FOLDER "/lib/recore/test_plugins", error); });
  }
  std::string saved(const std::string& model, const std::string& params) {
    const auto data = checkerboard();
    const std::string path = folder_ / (model + ".rec");
    save(train(data.get(), model, params).get(), path);
    return path;
  }

  // `make test-deep` tries every allocation, `make test` one of `step`.
  void expect_survives(const std::string& what, const std::function<rec_status_t()>& body, int64_t step = 1) {
    if (std::getenv("REC_TEST_DEEP") != nullptr) step = 1;
    SCOPED_TRACE(what);
    ASSERT_EQ(body(), REC_OK);
    int64_t before = 0, after = 0;
    rec_live_objects(REC_OBJECT_ANY, &before, nullptr);
    for (const bool all_later : {false, true}) {
      int64_t n_refused = 0;
      for (int64_t n = 0;; n += step) {
        const Answer answer = with_failing(n, all_later, body);
        ASSERT_TRUE(answer.status == REC_OK || answer.status == REC_OUT_OF_MEMORY)
            << rec_status_name(answer.status) << " when allocation " << n << " fails";
        n_refused += answer.status == REC_OUT_OF_MEMORY;
        if (answer.complete) break;
      }
      EXPECT_GT(n_refused, 0);
    }
    rec_live_objects(REC_OBJECT_ANY, &after, nullptr);
    EXPECT_EQ(after, before);
    EXPECT_EQ(body(), REC_OK);
  }

  TempFolder folder_;
};

// Paths are made of such texts.
TEST_F(FailingMemory, CutsNoText) {
  const std::string piece(100, 'x'), whole = "x" + piece + "12345";
  for (int64_t n = 0;; ++n) {
    std::string text = whole;
    const Answer answer = with_failing(n, false, [&]() -> rec_status_t {
      try {
        text = cat("x", piece, 12345);
        return REC_OK;
      } catch (const std::bad_alloc&) {
        return REC_OUT_OF_MEMORY;
      }
    });
    EXPECT_EQ(text, whole) << "when allocation " << n << " fails";
    if (answer.complete) break;
  }
}

template <class T, class Call>
rec_status_t made_and_ended(Call&& make_it) {
  T* handle = nullptr;
  rec_error_t* error = nullptr;
  const rec_status_t status = make_it(&handle, &error);
  rec_error_message(error);
  rec_error_destroy(error);
  if (handle != nullptr) Deleter()(handle);
  return status;
}

const std::pair<const char*, const char*> kModels[] = {
    {"bprmf", R"({"epochs": 1, "emb_size": 4})"},
    {"itemknn", "{}"},
    {"fpmc", R"({"epochs": 1, "emb_size": 4})"},
    {"neumf", R"({"epochs": 1, "emb_size": 4, "layers": [4]})"},
};

TEST_F(FailingMemory, WhenAModelIsOpenedDescribedAndSaved) {
  for (const auto& [name, params] : kModels) {
    const std::string path = saved(name, params), copy = folder_ / "copy.rec";
    expect_survives(
        std::string("load ") + name,
        [&] {
          return made_and_ended<rec_model_t>(
              [&](auto** out, auto** error) { return rec_model_load(path.c_str(), nullptr, nullptr, out, error); });
        },
        3);
    const auto model = load(path);
    expect_survives(std::string("describe ") + name, [&] {
      return made_and_ended<rec_text_t>(
          [&](auto** out, auto** error) { return rec_model_describe(model.get(), out, error); });
    });
    expect_survives(std::string("save ") + name,
                    [&] { return rec_model_save(model.get(), copy.c_str(), nullptr, nullptr, nullptr); });
    EXPECT_EQ(std::filesystem::file_size(path), std::filesystem::file_size(copy));
  }
}

TEST_F(FailingMemory, WhenAModelAnswers) {
  const std::vector<int64_t> users{1000, 1001, 7}, items{-50, -49};
  const rec_ids_t user_ids = int64_ids(users), item_ids = int64_ids(items);
  for (const auto& [name, params] : kModels) {
    const auto model = load(saved(name, params));
    std::vector<int64_t> rows(users.size() * 3);
    std::vector<float> scores(rows.size());
    std::vector<rec_status_t> status(users.size());
    const rec_output_t output = output_to(rows, scores, status);
    rec_request_t request{};
    request.struct_size = sizeof request;
    request.users = &user_ids;
    request.k = 3;
    const auto asks = [&](auto&& ask) {
      return [&model, ask] {
        return made_and_ended<rec_recommender_t>([&](auto** out, auto** error) {
          const rec_status_t made = rec_recommender_create(model.get(), nullptr, out, error);
          return made == REC_OK ? ask(*out, error) : made;
        });
      };
    };
    expect_survives(std::string("recommend ") + name, asks([&](rec_recommender_t* r, rec_error_t** error) {
                      return rec_recommender_top_k(r, &request, &output, error);
                    }));
    rec_recommender_t* able = nullptr;
    rec_recommender_create(model.get(), nullptr, &able, nullptr);
    const bool has_similar = rec_recommender_similar_items(able, &item_ids, 3, nullptr, 0, nullptr, 0, &output, nullptr) == REC_OK;
    rec_recommender_destroy(able);
    if (has_similar)
      expect_survives(std::string("similar ") + name, asks([&](rec_recommender_t* r, rec_error_t** error) {
                        return rec_recommender_similar_items(r, &item_ids, 3, nullptr, 0, nullptr, 0, &output, error);
                      }));
    const auto data = checkerboard();
    expect_survives(std::string("evaluate ") + name, [&] {
      return made_and_ended<rec_report_t>([&](auto** out, auto** error) {
        return rec_model_evaluate(model.get(), data.get(), "ndcg@5,mrr@5", nullptr, nullptr, out, error);
      });
    });
  }
}

TEST_F(FailingMemory, WhenAModelIsTrained) {
  const auto data = checkerboard();
  const std::string checkpoint = folder_ / "a.ckpt";
  for (const bool with_checkpoint : {false, true})
    for (const auto& [name, params] : kModels) {
      rec_trainer_options_t options{};
      options.struct_size = sizeof options;
      options.isolation = REC_ISOLATION_IN_PROCESS;
      if (with_checkpoint) options.checkpoint_path = checkpoint.c_str();
      expect_survives(
          std::string("train ") + name,
          [&, model = name, json = params] {
            const int64_t first = first_to_fail.exchange(INT64_MAX);
            std::filesystem::remove(checkpoint);
            first_to_fail = first;
            return made_and_ended<rec_trainer_t>([&](auto** out, auto** error) {
              rec_status_t status = rec_trainer_create(data.get(), model, json, &options, nullptr, out, error);
              if (status == REC_OK) status = rec_trainer_run(*out, nullptr, nullptr);
              if (status == REC_OK)
                status = made_and_ended<rec_model_t>([&](auto** made, auto** failed) {
                  return rec_trainer_create_model(*out, REC_MODEL_BEST, nullptr, made, failed);
                });
              return status;
            });
          },
          23);
    }
}

TEST_F(FailingMemory, WhenDataAreLoadedAndPluginsListed) {
  const std::string path = folder_ / "a.csv";
  std::ofstream(path) << "user_id,item_id,time\n1,a,3\n1,b,4\n2,a,5\n2,c,6\n";
  expect_survives("load data", [&] {
    return made_and_ended<rec_dataset_t>(
        [&](auto** out, auto** error) { return rec_dataset_load(path.c_str(), nullptr, nullptr, out, error); });
  });
  const auto data = checkerboard();
  const std::string saved_to = folder_ / "saved";
  expect_survives("save data", [&] { return rec_dataset_save(data.get(), saved_to.c_str(), nullptr, nullptr); });
  expect_survives("split", [&] {
    return made_and_ended<rec_dataset_t>(
        [&](auto** out, auto** error) { return rec_dataset_split(data.get(), nullptr, nullptr, out, error); });
  });
  expect_survives("describe data", [&] {
    return made_and_ended<rec_text_t>(
        [&](auto** out, auto** error) { return rec_dataset_describe(data.get(), out, error); });
  });
  expect_survives("list plugins", [] {
    return made_and_ended<rec_text_t>([](auto** out, auto** error) { return rec_plugin_list(out, error); });
  });
  expect_survives("describe a plugin", [] {
    return made_and_ended<rec_text_t>(
        [](auto** out, auto** error) { return rec_plugin_describe("bprmf", out, error); });
  });
  expect_survives("a cancel token", [] {
    return made_and_ended<rec_cancel_t>([](auto** out, auto** error) { return rec_cancel_create(out, error); });
  });
}

}  // namespace
}  // namespace rec::test
