// What individual models do with a warm start, with times and with in-batch negatives, through the C API.
#include <cmath>

#include "tests/conformance/worlds.h"

namespace rec::test {
namespace {

// Scores [40, 20] of every user and item.
std::vector<float> all_scores(const rec_model_t* model) {
  std::vector<int64_t> users, rows;
  for (int64_t u = 0; u < 40; ++u) users.push_back(1000 + u);
  for (int64_t i = 0; i < 20; ++i) rows.push_back(i);
  const rec_ids_t user_ids = int64_ids(users), candidates = int64_ids(rows, REC_ID_ROW);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.users = &user_ids;
  request.candidates = &candidates;
  const std::vector<float> scores = score(recommender(model).get(), request, 40 * 20);
  return scores;
}

class WarmStart : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }

  // One epoch of negligible steps: the model stays where it started.
  static Handle<rec_model_t> still(const rec_dataset_t* data, const std::string& model, const std::string& params,
                                   const std::vector<const rec_model_t*>& from) {
    const auto t = trainer(data, model, "{" + params + R"(, "lr": 1e-8, "epochs": 1})");
    for (const rec_model_t* start : from)
      call([&](rec_error_t** error) { return rec_trainer_warm_start(t.get(), start, error); });
    call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    return model_of(t.get());
  }
};

// He et al., section 3.4.1: each path's tensors, and both halves of the last layer times 1/2.
TEST_F(WarmStart, MakesNeuMfTheMeanOfTwoPathsTrainedAlone) {
  const auto data = checkerboard();
  const std::string sizes = R"("emb_size": 8, "layers": [8], "batch_size": 32)";
  const auto gmf = train(data.get(), "neumf", "{" + sizes + R"(, "paths": "gmf", "epochs": 5, "lr": 0.05})");
  const auto mlp = train(data.get(), "neumf", "{" + sizes + R"(, "paths": "mlp", "epochs": 5, "lr": 0.05})");
  const auto both = still(data.get(), "neumf", sizes, {gmf.get(), mlp.get()});
  const auto of_gmf = all_scores(gmf.get()), of_mlp = all_scores(mlp.get()), of_both = all_scores(both.get());
  for (size_t i = 0; i < of_both.size(); ++i)
    ASSERT_NEAR(of_both[i], 0.5f * (of_gmf[i] + of_mlp[i]), 1e-4f * (1 + std::abs(of_both[i]))) << i;
}

TEST_F(WarmStart, CopiesTensorsOfTheSameNameAndShape) {
  const auto data = checkerboard();
  const auto first = train(data.get(), "bprmf", R"({"emb_size": 8, "epochs": 5, "lr": 0.05})");
  const auto again = still(data.get(), "bprmf", R"("emb_size": 8)", {first.get()});
  const auto before = all_scores(first.get()), after = all_scores(again.get());
  for (size_t i = 0; i < before.size(); ++i) ASSERT_NEAR(before[i], after[i], 1e-4f) << i;
}

TEST_F(WarmStart, RefusesOtherItemsOtherShapesAndATrainerThatHasBegun) {
  const auto data = checkerboard(), other = checkerboard(40, 30);
  const auto model = train(other.get(), "bprmf", R"({"emb_size": 8, "epochs": 1})");
  const auto t = trainer(data.get(), "bprmf", R"({"emb_size": 8, "epochs": 1})");
  EXPECT_EQ(rec_trainer_warm_start(t.get(), model.get(), nullptr), REC_INVALID_ARGUMENT);
  const auto wide = train(data.get(), "bprmf", R"({"emb_size": 9, "epochs": 1})");
  EXPECT_EQ(rec_trainer_warm_start(t.get(), wide.get(), nullptr), REC_INVALID_ARGUMENT);
  call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
  const auto own = model_of(t.get());
  EXPECT_EQ(rec_trainer_warm_start(t.get(), own.get(), nullptr), REC_BAD_STATE);
}

// A weight [16, 8] has as many elements as one of [8, 16].
TEST_F(WarmStart, ComparesShapes) {
  const auto data = checkerboard();
  const auto wide = train(data.get(), "neumf", R"({"paths": "mlp", "mlp_emb_size": 4, "layers": [16], "epochs": 1})");
  const auto t = trainer(data.get(), "neumf", R"({"paths": "mlp", "mlp_emb_size": 8, "layers": [8]})");
  EXPECT_EQ(rec_trainer_warm_start(t.get(), wide.get(), nullptr), REC_INVALID_ARGUMENT);
}

class Times : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }
};

TEST_F(Times, AreAskedForAndReachTheModel) {
  const auto trained = train(checkerboard().get(), "slrc_plus", R"({"emb_size": 8, "epochs": 5, "time_scalar": 100})");
  const auto r = recommender(trained.get());
  const std::vector<int64_t> user{1000}, history{-50, -48}, offsets{0, 2}, times{10, 20};
  const rec_ids_t users = int64_ids(user), items = int64_ids(history);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.users = &users;
  request.candidates = &items;
  request.history_items = &items;
  request.history_offsets = offsets.data();
  request.n_history_offsets = std::ssize(offsets);
  const auto scores = [&](const int64_t* history_times, const std::vector<int64_t>& at) {
    request.history_times = history_times;
    request.n_history_times = 2;
    request.request_times = at.empty() ? nullptr : at.data();
    request.n_request_times = std::ssize(at);
    const std::vector<float> out = score(r.get(), request, 2);
    return out;
  };
  try {
    scores(nullptr, {30});
    ADD_FAILURE() << "accepted";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT);
    EXPECT_EQ(failure.argument, "history_times");
  }
  EXPECT_NE(scores(times.data(), {30}), scores(times.data(), {3000}));
  EXPECT_EQ(scores(times.data(), {20}), scores(times.data(), {})) << "without a time: as of the last event";
}

TEST_F(Times, AreMissedInAnEvaluationToo) {
  const auto trained = train(checkerboard().get(), "slrc_plus", R"({"emb_size": 8, "epochs": 1})");
  const std::vector<int64_t> user{1000}, item{-50};
  const std::vector<int32_t> part{REC_PART_TEST};
  const rec_ids_t users = int64_ids(user), items = int64_ids(item);
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &users;
  columns.items = &items;
  columns.parts = part.data();
  columns.n_parts = std::ssize(part);
  const auto timeless = make<rec_dataset_t>(
      [&](rec_dataset_t** out, rec_error_t** e) { return rec_dataset_create_from_columns(&columns, nullptr, out, e); });
  rec_report_t* report = nullptr;
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_model_evaluate(trained.get(), timeless.get(), "ndcg@5", nullptr, nullptr, &report, &error),
            REC_INVALID_DATA);
  const Handle<rec_error_t> owner(error);
  EXPECT_NE(std::string(rec_error_message(error)).find("looks at times"), std::string::npos);
}

// Scores of the 150 items that user 1000 has had, by what the model knows or by a history of the items from `first` on.
std::vector<float> scores_of_150(const rec_model_t* model, int64_t first = -1) {
  const auto r = recommender(model);
  std::vector<int64_t> items, user{1000};
  for (int64_t i = 0; i < 150; ++i) items.push_back(i);
  const std::vector<int64_t> last(items.begin() + std::max<int64_t>(first, 0), items.end()),
      offsets{0, std::ssize(last)};
  const rec_ids_t who = int64_ids(user), all = int64_ids(items), history = int64_ids(last);
  rec_request_t request{};
  request.struct_size = sizeof request;
  request.users = &who;
  request.candidates = &all;
  if (first >= 0) {
    request.history_items = &history;
    request.history_offsets = offsets.data();
    request.n_history_offsets = std::ssize(offsets);
  }
  std::vector<float> out;
  out = score(r.get(), request, 150);
  return out;
}

// A file keeps 100 items of a history, or as many as its model reads if that is more; gru4rec official reads all.
TEST(Histories, AreReadWhole) {
  call([&](rec_error_t** error) { return rec_plugin_add_folder(REC_PLUGINS_FOLDER, error); });
  std::vector<int64_t> users(150, 1000), items;
  for (int64_t e = 0; e < 150; ++e) items.push_back(e);
  const auto data = dataset(users, items);
  const auto hrm = train(data.get(), "hrm", R"({"history_max": 140, "pooling_items": "mean", "epochs": 1})");
  EXPECT_EQ(scores_of_150(hrm.get()), scores_of_150(hrm.get(), 0));
  EXPECT_NE(scores_of_150(hrm.get()), scores_of_150(hrm.get(), 50)) << "100 items are not enough to see a difference";
  const auto official = train(data.get(), "gru4rec", R"({"layers": [8], "n_sample": 4, "epochs": 1})");
  EXPECT_EQ(scores_of_150(official.get()), scores_of_150(official.get(), 0));
  EXPECT_NE(scores_of_150(official.get()), scores_of_150(official.get(), 130)) << "its history_max is that of others";
}

TEST(UnknownModel, IsToldEachKnownNameOnce) {
  call([&](rec_error_t** error) { return rec_plugin_add_folder(REC_PLUGINS_FOLDER, error); });
  const auto loaded =
      make<rec_text_t>([](rec_text_t** out, rec_error_t** error) { return rec_plugin_describe("bprmf", out, error); });
  rec_text_t* none = nullptr;
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_plugin_describe("zzz", &none, &error), REC_NOT_FOUND);
  const std::string message = rec_error_message(error);
  rec_error_destroy(error);
  const size_t first = message.find("bprmf");
  ASSERT_NE(first, std::string::npos) << message;
  EXPECT_EQ(message.find("bprmf", first + 1), std::string::npos) << message;
}

class InBatch : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }

  // Each user has one of the items.
  static Handle<rec_dataset_t> one_each(const std::vector<int64_t>& items) {
    std::vector<int64_t> users;
    for (size_t u = 0; u < items.size(); ++u) users.push_back(static_cast<int64_t>(u));
    return dataset(users, items);
  }
  // The first loss of a model whose scores start near 0.
  static double first_loss(const std::vector<int64_t>& items, const std::string& model = "bprmf",
                           const std::string& params = R"("sampler": "in_batch", "loss": "softmax")") {
    const auto data = one_each(items);
    const auto t = trainer(data.get(), model, R"({"emb_size": 4, "epochs": 1, "batch_size": 8, )" + params + "}");
    return run_training(t.get());
  }
};

// Another row's positive that equals the row's own item is not a negative. Scores are near 0 and items equally frequent.
TEST_F(InBatch, MasksAccidentalHits) {
  EXPECT_NEAR(first_loss({0, 1, 2, 3}), std::log(4.0), 0.01);
  EXPECT_NEAR(first_loss({0, 0, 1, 1}), std::log(3.0), 0.01) << "its own and two of the other item";
  EXPECT_EQ(first_loss({0, 0, 0, 0}), 0) << "nothing to tell apart";
}

TEST_F(InBatch, MasksAccidentalHitsOfHrm) {
  const std::string near_zero = R"("temperature": 100, "dropout": 0, )";
  for (const std::string sampler : {"uniform", "in_batch"}) {
    SCOPED_TRACE(sampler);
    const auto softmax = [&](const std::vector<int64_t>& items) {
      return first_loss(items, "hrm", near_zero + R"("loss": "in_batch", "sampler": ")" + sampler + "\"");
    };
    EXPECT_NEAR(softmax({0, 1, 2, 3}), std::log(4.0), 0.02);
    EXPECT_NEAR(softmax({0, 0, 1, 1}), std::log(3.0), 0.02) << "its own and two of the other item";
    EXPECT_EQ(softmax({0, 0, 0, 0}), 0) << "nothing to tell apart";
  }
  const auto bce = [&](const std::vector<int64_t>& items) {
    return first_loss(items, "hrm", near_zero + R"("sampler": "in_batch")");
  };
  EXPECT_NEAR(bce({0, 1, 2, 3}) / bce({0, 0, 0, 0}), 4, 0.1) << "the positive alone, of four columns";
}

TEST_F(InBatch, TrainsWhenTheLastBatchWouldHaveOneRow) {
  const auto data = one_each({0, 1, 2, 3, 4, 5, 6, 7, 8});
  for (const auto& [model, params] : {std::pair{"bprmf", R"("sampler": "in_batch")"}, {"hrm", R"("loss": "in_batch")"}})
    for (int batch_size : {2, 4, 8})
      EXPECT_NO_THROW(train(data.get(), model,
                            R"({"epochs": 2, "batch_size": )" + std::to_string(batch_size) + ", " + params + "}"))
          << model << " " << batch_size;
}

// The error that refuses a trainer with these arguments.
CallFailed refusal(const rec_dataset_t* data, const std::string& model, const std::string& params,
                   int64_t memory_limit_bytes = 0) {
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.memory_limit_bytes = memory_limit_bytes;
  try {
    trainer(data, model, params, &options);
  } catch (const CallFailed& failure) {
    return failure;
  }
  return {REC_OK, nullptr};
}

TEST_F(InBatch, OfOneRowIsRefused) {
  const auto data = one_each({0, 1, 2}), one = one_each({0});
  for (const auto& [model, params] :
       {std::pair{"bprmf", R"("sampler": "in_batch")"}, {"hrm", R"("loss": "in_batch")"}}) {
    const CallFailed failure = refusal(data.get(), model, std::string(R"({"batch_size": 1, )") + params + "}");
    EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT) << failure.what();
    EXPECT_EQ(failure.argument, "batch_size");
    EXPECT_EQ(refusal(one.get(), model, std::string("{") + params + "}").status, REC_INVALID_DATA);
  }
  const CallFailed failure = refusal(checkerboard().get(), "gru4rec", R"({"variant": "metaspore", "batch_size": 1})");
  EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT) << failure.what();
  EXPECT_NE(std::string(failure.what()).find("batch_size: must be >= 2"), std::string::npos) << failure.what();
}

// bpr_multi where every other row of a batch has the same item, so that no row has a negative.
TEST_F(InBatch, WithoutANegativeLosesNothing) {
  for (const char* model : {"neumf", "fpmc", "bprmf"}) {
    const std::string params = R"("sampler": "in_batch", "loss": "bpr_multi")";
    const std::vector<int64_t> items(12, 5);
    if (std::string(model) != "fpmc") {
      EXPECT_EQ(first_loss(items, model, params), 0) << model;
      continue;
    }
    const auto data = dataset({1, 1, 2, 2, 3, 3, 4, 4}, {5, 5, 5, 5, 5, 5, 5, 6});
    EXPECT_NO_THROW(train(data.get(), model, "{" + params + R"(, "epochs": 2, "batch_size": 2})")) << model;
  }
}

TEST_F(InBatch, DenseWeightsCountAgainstTheMemoryLimit) {
  const auto data = checkerboard();
  constexpr int64_t kLimit = 20 << 20;
  const std::pair<const char*, const char*> cases[] = {
      {"neumf", R"("layers": [2048, 2048])"},
      {"gru4rec", R"("variant": "rechorus", "layers": [1024])"},
      {"gru4rec", R"("variant": "metaspore", "layers": [1024])"},
      {"gru4rec", R"("layers": [1024], "n_sample": 8)"},
      {"gru4rec", R"("batch_size": 200000, "n_sample": 8)"},
  };
  for (const auto& [model, params] : cases)
    EXPECT_EQ(refusal(data.get(), model, std::string("{") + params + "}", kLimit).status, REC_LIMIT)
        << model << " " << params;
  for (const char* model : {"neumf", "gru4rec", "hrm", "fpmc"})
    EXPECT_EQ(refusal(data.get(), model, "{}", kLimit).status, REC_OK) << model;
}

TEST_F(InBatch, BatchesCountAgainstTheMemoryLimit) {
  std::vector<int64_t> users, items;
  for (int64_t e = 0; e < 10000; ++e) users.push_back(e / 100), items.push_back(e % 100);
  const auto data = dataset(users, items);
  const CallFailed failure =
      refusal(data.get(), "bprmf", R"({"sampler": "in_batch", "batch_size": 8192})", int64_t{150} << 20);
  EXPECT_EQ(failure.status, REC_LIMIT) << failure.what();
  EXPECT_NE(std::string(failure.what()).find("batch_size"), std::string::npos) << failure.what();
  EXPECT_EQ(refusal(data.get(), "bprmf", R"({"sampler": "in_batch", "batch_size": 256})", int64_t{150} << 20).status,
            REC_OK);
  EXPECT_EQ(refusal(data.get(), "bprmf", R"({"batch_size": 8192})", int64_t{150} << 20).status, REC_OK);
}

TEST(Gru4Rec, NeedsItemsToTellApart) {
  call([&](rec_error_t** error) { return rec_plugin_add_folder(REC_PLUGINS_FOLDER, error); });
  const auto data = dataset({1, 1, 2, 2}, {5, 5, 5, 5});
  const CallFailed failure = refusal(data.get(), "gru4rec", R"({"variant": "recbole"})");
  EXPECT_EQ(failure.status, REC_INVALID_DATA) << failure.what();
  const CallFailed frozen = refusal(data.get(), "gru4rec", R"({"variant": "rechorus", "frozen_row": 1})");
  EXPECT_EQ(frozen.status, REC_INVALID_DATA) << frozen.what();
}

class Sampler : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }
};

TEST_F(Sampler, ThatAModelCannotUseIsRefused) {
  const auto data = checkerboard();
  const std::pair<const char*, const char*> cases[] = {
      {"popularity", R"({"sampler": "popularity"})"},
      {"ease", R"({"sampler": "dns"})"},
      {"itemknn", R"({"sampler": "in_batch"})"},
      {"gru4rec", R"({"sampler": "popularity"})"},
      {"hrm", R"({"loss": "in_batch", "sampler": "dns"})"},
  };
  for (const auto& [model, params] : cases) {
    const CallFailed failure = refusal(data.get(), model, params);
    EXPECT_EQ(failure.status, REC_UNSUPPORTED) << model << " " << failure.what();
    EXPECT_EQ(failure.argument, "sampler") << model;
    EXPECT_NE(std::string(failure.what()).find(model), std::string::npos) << failure.what();
  }
}

class Pieces : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }
};

// Layers so wide that 64 items at a time go through them.
TEST_F(Pieces, OfAWideNeuMfGiveTheScoresOfSingleItems) {
  const auto data = checkerboard(40, 100);
  const auto model = train(data.get(), "neumf", R"({"layers": [16384], "emb_size": 2, "epochs": 1})");
  const auto serving = recommender(model.get());
  const TopK all = top_k(serving.get(), {1003}, 100);
  const std::vector<int64_t> user{1003};
  for (size_t i = 0; i < all.rows.size(); ++i) {
    const std::vector<int64_t> row{all.rows[i]};
    const rec_ids_t users = int64_ids(user), candidates = int64_ids(row, REC_ID_ROW);
    rec_request_t request{};
    request.struct_size = sizeof request;
    request.users = &users;
    request.candidates = &candidates;
    EXPECT_EQ(score(serving.get(), request, 1).at(0), all.scores[i]) << "item row " << all.rows[i];
  }
}

// Histories so long that not all of them are padded to the longest at once.
TEST_F(Pieces, OfManyLongHistoriesGiveTheAnswersOfSingleOnes) {
  const auto data = cycle();
  const auto model =
      train(data.get(), "gru4rec", R"({"variant": "recbole", "layers": [8], "emb_size": 4, "epochs": 1})");
  const auto serving = recommender(model.get());
  const auto answer = [&](int64_t first, int64_t n) {
    std::vector<int64_t> users, history, offsets{0};
    for (int64_t u = first; u < first + n; ++u) {
      users.push_back(1000 + u);
      for (int64_t t = 0; t < 200 + 7 * u; ++t) history.push_back((3 * u + t) % 20);
      offsets.push_back(std::ssize(history));
    }
    const rec_ids_t user_ids = int64_ids(users), history_ids = int64_ids(history);
    rec_request_t request{};
    request.struct_size = sizeof request;
    request.k = 5;
    request.users = &user_ids;
    request.history_items = &history_ids;
    request.history_offsets = offsets.data();
    request.n_history_offsets = std::ssize(offsets);
    TopK out{std::vector<int64_t>(5 * n), std::vector<float>(5 * n), std::vector<rec_status_t>(n)};
    const rec_output_t output = output_to(out.rows, out.scores, out.status);
    call([&](rec_error_t** error) { return rec_recommender_top_k(serving.get(), &request, &output, error); });
    return out;
  };
  const TopK all = answer(0, 60);
  for (int64_t u = 0; u < 60; ++u) {
    const TopK alone = answer(u, 1);
    for (int64_t i = 0; i < 5; ++i) {
      EXPECT_EQ(alone.rows[i], all.rows[5 * u + i]) << "user " << u;
      EXPECT_EQ(alone.scores[i], all.scores[5 * u + i]) << "user " << u;
    }
  }
}

class Similar : public testing::Test, protected Worlds {
 protected:
  static void SetUpTestSuite() { add_plugins(); }
};

// All items are equally near, so each keeps those of the lowest rows: its neighbours, and not the items that it is one of.
TEST_F(Similar, ItemsOfItemKnnAreItsNeighbours) {
  std::vector<int64_t> users, items;
  for (int64_t user = 0; user < 3; ++user)
    for (int64_t item = 10; item < 15; ++item) users.push_back(user), items.push_back(item);
  const auto data = dataset(users, items);
  const auto model = train(data.get(), "itemknn", R"({"n_neighbors": 2})");
  const auto serving = recommender(model.get());
  const std::vector<int64_t> asked{10, 11, 12, 13, 14};
  const rec_ids_t ids = int64_ids(asked);
  TopK out{std::vector<int64_t>(10), std::vector<float>(10), std::vector<rec_status_t>(5)};
  const rec_output_t output = output_to(out.rows, out.scores, out.status);
  call([&](rec_error_t** error) { return rec_recommender_similar_items(serving.get(), &ids, 2, nullptr, 0, nullptr, 0, &output, error); });
  EXPECT_EQ(out.rows, (std::vector<int64_t>{1, 2, 0, 2, 0, 1, 0, 1, 0, 1}));
  for (const float score : out.scores) EXPECT_GT(score, 0);

  const uint8_t some = 0b11011, first = 0b1;  // by bits: rows 0, 1, 3, 4; row 0
  const auto among = [&](const uint8_t* allow, const uint8_t* deny) {
    call([&](rec_error_t** error) {
      return rec_recommender_similar_items(serving.get(), &ids, 2, allow, 1, deny, 1, &output, error);
    });
    return std::vector<int64_t>(out.rows.begin(), out.rows.begin() + 4);
  };
  EXPECT_EQ(among(&some, nullptr), (std::vector<int64_t>{1, REC_NO_ROW, 0, REC_NO_ROW}));
  EXPECT_EQ(among(nullptr, &first), (std::vector<int64_t>{1, 2, 2, REC_NO_ROW}));
  EXPECT_EQ(among(&some, &first), (std::vector<int64_t>{1, REC_NO_ROW, REC_NO_ROW, REC_NO_ROW}));
  EXPECT_EQ(rec_recommender_similar_items(serving.get(), &ids, 2, &some, 0, nullptr, 0, &output, nullptr),
            REC_INVALID_ARGUMENT);
}

// By vectors: what is left keeps its order and its scores.
TEST_F(Similar, ItemsAreTakenOfThoseThatAreAllowed) {
  const auto data = checkerboard();
  const auto model = train(data.get(), "bprmf", R"({"epochs": 2, "emb_size": 8})");
  const auto serving = recommender(model.get());
  const std::vector<int64_t> asked{1};
  const rec_ids_t ids = int64_ids(asked);
  int64_t n_items = 0;
  call([&](rec_error_t** error) { return rec_model_counts(model.get(), nullptr, &n_items, error); });
  const auto similar = [&](const uint8_t* deny) {
    TopK out{std::vector<int64_t>(n_items), std::vector<float>(n_items), std::vector<rec_status_t>(1)};
    const rec_output_t output = output_to(out.rows, out.scores, out.status);
    call([&](rec_error_t** error) {
      return rec_recommender_similar_items(serving.get(), &ids, n_items, nullptr, 0, deny, (n_items + 7) / 8, &output, error);
    });
    return out;
  };
  const TopK all = similar(nullptr);
  std::vector<uint8_t> deny((n_items + 7) / 8);
  deny[all.rows[0] / 8] |= static_cast<uint8_t>(1 << (all.rows[0] % 8));
  const TopK rest = similar(deny.data());
  EXPECT_EQ(std::vector<int64_t>(rest.rows.begin(), rest.rows.end() - 1),
            std::vector<int64_t>(all.rows.begin() + 1, all.rows.end()));
  EXPECT_EQ(std::vector<float>(rest.scores.begin(), rest.scores.end() - 1),
            std::vector<float>(all.scores.begin() + 1, all.scores.end()));
}

}  // namespace
}  // namespace rec::test
