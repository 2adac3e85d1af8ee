// What a file says of a plugin's state is not believed: which tensors it may set, and what they may hold.
#include <limits>

#include "tests/hostile/model_file.h"

namespace rec::test {
namespace {

using Json = nlohmann::ordered_json;
constexpr int kParameter = 1;  // REC_TENSOR_PARAMETER

// Gives a tensor another name; the order of the tensors stays.
void rename_tensor(Json& header, Json& manifest, const std::string& from, const std::string& to) {
  Json renamed = Json::object();
  for (const auto& [name, entry] : header.items()) renamed[name == from ? to : name] = entry;
  header = renamed;
  manifest["tensors"][to] = manifest["tensors"][from];
  manifest["tensors"].erase(from);
}

std::string int32s(int64_t n, int32_t value) {
  const std::vector<int32_t> values(n, value);
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof value};
}

TEST_F(ModelFile, SetsParametersOnlyAndFiniteOnes) {
  const struct {
    const char *name, *model;
    rec_status_t status;
    Change change;
  } cases[] = {
      {"an index into the plugin's memory", "itemknn", REC_CORRUPT_DATA,
       [](Json& h, Json& m, std::string& d) {
         m["info"]["parameters"]["n_neighbors"] = 1;
         m["serving"] = {{"item_weights", true}, {"plugin", true}};
         add(h, m, d, "neighbors", "I32", {3, 1}, kParameter, int32s(3, 0x7ffffff0));
       }},
      {"a step counter", "fpmc", REC_CORRUPT_DATA,
       [](Json& h, Json& m, std::string& d) {
         const int64_t step = int64_t{1} << 28;
         add(h, m, d, "optimizer.ui_emb.step", "I64", {1}, kParameter, {reinterpret_cast<const char*>(&step), 8});
       }},
      {"a parameter that is not a number", "neumf", REC_CORRUPT_DATA,
       [](Json& h, Json&, std::string& d) { fill(h, d, "predict.weight", std::numeric_limits<float>::quiet_NaN()); }},
      {"a parameter that is infinite, of a model that its tables serve", "bprmf", REC_CORRUPT_DATA,
       [](Json& h, Json&, std::string& d) { fill(h, d, "user_emb", std::numeric_limits<float>::infinity()); }},
      {"a plugin that needs its training data to freeze", "lightgcn", REC_CORRUPT_DATA,
       [](Json&, Json& m, std::string&) {
         m["serving"]["plugin"] = true;
         m["serving"].erase("user_table");
       }},
      {"a number so large that scores would be infinite", "bprmf", REC_CORRUPT_DATA,
       [](Json& h, Json&, std::string& d) { fill(h, d, "item_emb", 3e38f); }},
      {"weights so large that scores would be infinite", "itemknn", REC_CORRUPT_DATA,
       [](Json& h, Json&, std::string& d) { fill(h, d, "serving.weights.values", 3e38f); }},
      {"a parameter out of range", "neumf", REC_CORRUPT_DATA,
       [](Json&, Json& m, std::string&) { m["info"]["parameters"]["emb_size"] = -1; }},
      {"parameters as a list", "fpmc", REC_CORRUPT_DATA,
       [](Json&, Json& m, std::string&) { m["info"]["parameters"] = {1, 2}; }},
      {"a table of the file's own that is called a parameter", "lightgcn", REC_CORRUPT_DATA,
       [](Json&, Json& m, std::string&) { m["tensors"]["serving.item_table"]["kind"] = kParameter; }},
      {"a table under a name that no save gives it", "lightgcn", REC_CORRUPT_DATA,
       [](Json& h, Json& m, std::string&) {
         rename_tensor(h, m, "serving.item_table", "elsewhere");
         m["serving"]["item_table"] = "elsewhere";
       }},
      {"histories without the times that the plugin looks at", "slrc_plus", REC_CORRUPT_DATA,
       [](Json& h, Json& m, std::string&) { rename_tensor(h, m, "history.times", "elsewhere"); }},
      {"tensors of a later version of the model", "neumf", REC_UNSUPPORTED,
       [](Json&, Json& m, std::string&) { m["model_version"] = 1000; }},
      {"layers that would take gigabytes, and no limit given", "neumf", REC_LIMIT,
       [](Json&, Json& m, std::string&) { m["info"]["parameters"]["layers"] = {20000, 20000}; }},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.name);
    std::string message;
    const std::string good = bytes_of(row.model);
    ASSERT_EQ(load_bytes(good, &message), REC_OK) << message;
    EXPECT_EQ(load_bytes(forged(good, row.change), &message), row.status) << message;
  }
}

// A ranking would leave such an item out, as if it were not there.
TEST_F(ModelFile, WhosePluginScoresWithNaNGivesAnErrorInsteadOfARanking) {
  for (const float value : {3e38f, -3e38f}) {
    SCOPED_TRACE(value);
    const std::string bytes = forged(bytes_of("neumf"), [&](Json& h, Json&, std::string& d) {
      for (const auto& [name, entry] : h.items())
        if (name != "__metadata__" && entry["dtype"] == "F32") fill(h, d, name, value);
    });
    const auto model = make<rec_model_t>([&](rec_model_t** out, rec_error_t** error) {
      return rec_model_load_bytes(bytes.data(), std::ssize(bytes), nullptr, nullptr, out, error);
    });
    try {
      top_k(recommender(model.get()).get(), {1}, 2);
      ADD_FAILURE() << "its scores are no numbers";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.status, REC_NUMERIC) << failure.what();
    }
  }
}

TEST_F(ModelFile, OfVectorsNearZeroStillHasSimilarItems) {
  const std::string bytes =
      forged(bytes_of("bprmf"), [](Json& h, Json&, std::string& d) { fill(h, d, "item_emb", 1e-40f); });
  const auto model = make<rec_model_t>([&](rec_model_t** out, rec_error_t** error) {
    return rec_model_load_bytes(bytes.data(), std::ssize(bytes), nullptr, nullptr, out, error);
  });
  const std::vector<int64_t> item{10};
  const rec_ids_t items = int64_ids(item, REC_ID_INT64);
  TopK out{std::vector<int64_t>(2), std::vector<float>(2), std::vector<rec_status_t>(1)};
  const rec_output_t output = output_to(out.rows, out.scores, out.status);
  const auto serving = recommender(model.get());
  call([&](rec_error_t** error) { return rec_recommender_similar_items(serving.get(), &items, 2, nullptr, 0, nullptr, 0, &output, error); });
  EXPECT_EQ(out.status.at(0), REC_OK);
  EXPECT_NE(out.rows.at(0), REC_NO_ROW);
  EXPECT_NE(out.rows.at(1), REC_NO_ROW);
}

// The limit covers the file and the copies of its ids and histories.
TEST_F(ModelFile, OfManyIdsIsLoadedWithinTheMemoryLimit) {
  const std::string good = bytes_of("bprmf");
  std::string message;
  EXPECT_EQ(load_bytes(good, &message, std::ssize(good) + 10), REC_LIMIT);
  EXPECT_NE(message.find("what the file says of users and items needs"), std::string::npos) << message;
  EXPECT_EQ(load_bytes(good, &message, 2 * std::ssize(good)), REC_OK) << message;
}

// A table without rows has no bytes, however wide it says it is.
TEST_F(ModelFile, WithTablesOfNobodyAndNothingIsRefused) {
  const std::string good = bytes_of("bprmf");
  const auto of_width = [&](int64_t width) {
    return forged(good, [&](Json& h, Json&, std::string& d) {
      std::string data;
      for (auto& [name, entry] : h.items()) {
        if (name == "__metadata__") continue;
        const bool table = name == "user_emb" || name == "item_emb";
        const bool offsets = name == "seen.offsets" || name == "history.offsets";
        if (table) entry["shape"] = {0, width};
        if (!table) entry["shape"] = {offsets ? 1 : 0};
        const size_t begin = data.size();
        if (offsets) data.append(8, '\0');
        entry["data_offsets"] = {begin, data.size()};
      }
      d = data;
    });
  };
  std::string message;
  EXPECT_EQ(load_bytes(of_width(4), &message), REC_CORRUPT_DATA);
  EXPECT_NE(message.find("it has no users"), std::string::npos) << message;
  EXPECT_EQ(load_bytes(of_width(int64_t{1} << 62), &message), REC_CORRUPT_DATA) << message;
  EXPECT_EQ(load_bytes(of_width((int64_t{1} << 20) + 1), &message), REC_CORRUPT_DATA) << message;
}

TEST_F(ModelFile, OfACheckpointHoldsWhatThePluginSays) {
  const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
  const std::string path = folder_ / "a.ckpt";
  rec_trainer_options_t options{};
  options.struct_size = sizeof options;
  options.checkpoint_path = path.c_str();
  const auto checkpoint = [&](const std::string& model) {
    std::filesystem::remove(path);
    options.resume = 0;
    const auto t = trainer(data.get(), model, R"({"epochs": 2})", &options);
    call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    std::filesystem::remove(path + ".prev");
    std::ifstream file(path, std::ios::binary);
    return std::string{std::istreambuf_iterator<char>(file), {}};
  };
  const auto resumed = [&](const std::string& model, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    options.resume = 1;
    try {
      const auto t = trainer(data.get(), model, R"({"epochs": 2})", &options);
      call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    } catch (const CallFailed& failure) {
      return failure;
    }
    return CallFailed(REC_OK, nullptr);
  };
  const struct {
    const char *name, *model, *says;
    Change change;
  } cases[] = {
      {"a step below 0", "bprmf", "tensor 'optimizer.user_emb.step' has -5 at element 0; it must be between 0 and ",
       [](Json& h, Json&, std::string& d) { fill(h, d, "optimizer.user_emb.step", int64_t{-5}); }},
      {"a neighbour beyond the items", "itemknn",
       "tensor 'neighbors' has 2147483600 at element 0; it must be between -1 and 2",
       [](Json& h, Json&, std::string& d) { fill(h, d, "neighbors", int32_t{2147483600}); }},
      {"an epoch beyond all counting", "bprmf", "the checkpoint counts to ",
       [](Json&, Json& m, std::string&) { m["epoch"] = m["last"]["epoch"] = INT64_MAX; }},
      {"a moment that is not a number", "bprmf", "tensor 'optimizer.item_emb.m' has nan at element 0",
       [](Json& h, Json&, std::string& d) {
         fill(h, d, "optimizer.item_emb.m", std::numeric_limits<float>::quiet_NaN());
       }},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.name);
    const std::string good = checkpoint(row.model);
    ASSERT_EQ(resumed(row.model, good).status, REC_OK);
    const CallFailed failure = resumed(row.model, forged(good, row.change));
    EXPECT_EQ(failure.status, REC_CORRUPT_DATA);
    EXPECT_NE(std::string(failure.what()).find(row.says), std::string::npos) << failure.what();
  }
  // A large step costs no memory: the table of step sizes ends where they no longer change.
  const std::string late = forged(checkpoint("bprmf"), [](Json& h, Json&, std::string& d) {
    for (const char* name : {"optimizer.user_emb.step", "optimizer.item_emb.step"}) fill(h, d, name, int64_t{1} << 40);
  });
  EXPECT_EQ(resumed("bprmf", late).status, REC_OK);
}

}  // namespace
}  // namespace rec::test
