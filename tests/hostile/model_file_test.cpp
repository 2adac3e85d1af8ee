// A model file or a checkpoint is untrusted: cut anywhere, any byte flipped, lies with valid checksums.
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>

#include "tests/hostile/model_file.h"

namespace rec::test {
namespace {

TEST_F(ModelFile, CutAtEveryByteIsRefused) {
  for (const char* model : {"bprmf", "itemknn", "popularity"}) {
    const std::string bytes = bytes_of(model);
    ASSERT_LE(bytes.size(), 8192u);
    ASSERT_EQ(load_bytes(bytes), REC_OK);
    for (size_t n = 0; n < bytes.size(); ++n) {
      std::string message;
      ASSERT_EQ(load_bytes(bytes.substr(0, n), &message), REC_CORRUPT_DATA)
          << model << " cut at " << n << ": " << message;
    }
    ASSERT_EQ(load_bytes(bytes + '\0'), REC_CORRUPT_DATA) << "a byte more";
  }
}

TEST_F(ModelFile, WithAnyByteFlippedIsRefused) {
  for (const char* model : {"bprmf", "itemknn", "popularity"}) {
    std::string bytes = bytes_of(model);
    for (size_t i = 0; i < bytes.size(); ++i) {
      const char original = bytes[i];
      for (const int mask : {0x01, 0x80, 0xff}) {
        bytes[i] = static_cast<char>(original ^ mask);
        ASSERT_NE(load_bytes(bytes), REC_OK) << model << " byte " << i << " mask " << mask;
      }
      bytes[i] = original;
    }
  }
}

TEST_F(ModelFile, ThatLiesUnderRightChecksumsIsRefused) {
  using Json = nlohmann::ordered_json;
  const std::string tables = bytes_of("bprmf"), weights = bytes_of("itemknn"), plugin = bytes_of("fpmc");
  ASSERT_EQ(load_bytes(forged(tables, [](Json&, Json&, std::string&) {})), REC_OK) << "the forger itself is right";
  const auto put = [](const Json& header, std::string& data, const char* tensor, size_t at, auto value) {
    const size_t begin = header[tensor]["data_offsets"][0];
    std::memcpy(data.data() + begin + at * sizeof value, &value, sizeof value);
  };
  const struct {
    const char* name;
    const std::string& file;
    std::function<void(Json&, Json&, std::string&)> change;
  } cases[] = {
      {"a shape of 2^62 rows", tables,
       [](Json& h, Json&, std::string&) { h["user_emb"]["shape"] = {int64_t{1} << 62, 8}; }},
      {"a negative size", tables, [](Json& h, Json&, std::string&) { h["user_emb"]["shape"] = {-3, 3}; }},
      {"offsets beyond the file", tables,
       [](Json& h, Json&, std::string&) { h["user_emb"]["data_offsets"] = {0, int64_t{1} << 40}; }},
      {"offsets that overlap", tables,
       [](Json& h, Json&, std::string&) { h["item_emb"]["data_offsets"] = h["user_emb"]["data_offsets"]; }},
      {"a float that is NaN", tables, [&](Json& h, Json&, std::string& d) { put(h, d, "user_emb", 0, std::nanf("")); }},
      {"seen items out of range", tables,
       [&](Json& h, Json&, std::string& d) { put(h, d, "seen.items", 0, int32_t{99}); }},
      {"seen items negative", tables, [&](Json& h, Json&, std::string& d) { put(h, d, "seen.items", 0, int32_t{-1}); }},
      {"seen offsets that fall", tables,
       [&](Json& h, Json&, std::string& d) { put(h, d, "seen.offsets", 1, int64_t{5}); }},
      {"history out of range", tables,
       [&](Json& h, Json&, std::string& d) { put(h, d, "history.items", 0, int32_t{3}); }},
      {"sorted rows out of range", tables,
       [&](Json& h, Json&, std::string& d) { put(h, d, "users.sorted", 0, int32_t{7}); }},
      {"sorted rows twice", tables, [&](Json& h, Json&, std::string& d) { put(h, d, "users.sorted", 0, int32_t{1}); }},
      {"an id twice", tables, [&](Json& h, Json&, std::string& d) { put(h, d, "users.ids", 0, int64_t{2}); }},
      {"another table's width", tables, [](Json& h, Json&, std::string&) { h["user_emb"]["shape"] = {9, 1}; }},
      {"a table of another name", tables,
       [](Json&, Json& m, std::string&) { m["serving"]["item_table"] = "users.ids"; }},
      {"a table that is not there", tables,
       [](Json&, Json& m, std::string&) { m["serving"]["item_table"] = "nowhere"; }},
      {"a manifest of another shape", tables, [](Json&, Json& m, std::string&) { m["serving"] = 7; }},
      {"a manifest that is a list", tables, [](Json&, Json& m, std::string&) { m = Json::array(); }},
      {"a manifest without tensors", tables, [](Json&, Json& m, std::string&) { m.erase("tensors"); }},
      {"a sum that is no object", tables, [](Json&, Json& m, std::string&) { m["tensors"]["user_emb"] = 3; }},
      {"more keys than anybody needs", tables,
       [](Json&, Json& m, std::string&) {
         for (int i = 0; i < 5000; ++i) m["info"][std::to_string(i)] = 0;
       }},
      {"an item table beside item weights", weights,
       [](Json& h, Json& m, std::string& d) {
         h["extra"] = {{"dtype", "F32"}, {"shape", {3, 1}}, {"data_offsets", {d.size(), d.size() + 12}}};
         d.append(12, '\0');
         m["tensors"]["extra"] = {{"xxh3", ""}, {"kind", 0}};
         m["serving"]["item_table"] = "extra";
       }},
      {"tables said to need a plugin that does not encode", tables,
       [](Json&, Json& m, std::string&) {
         m["serving"]["plugin"] = true;
         m["serving"].erase("user_table");
       }},
      {"no tables, and a plugin that does not score", tables,
       [](Json&, Json& m, std::string&) { m["serving"] = {{"plugin", true}}; }},
      {"an item table narrower than the plugin's", plugin,
       [](Json&, Json& m, std::string&) { m["serving"]["item_table"] = "li_emb"; }},
      {"a model named like a path", tables, [](Json&, Json& m, std::string&) { m["model"] = "../../evil"; }},
      {"a model version that no integer holds", tables,
       [](Json&, Json& m, std::string&) { m["model_version"] = 1e300; }},
      {"a kind of tensor that is no whole number", tables,
       [](Json&, Json& m, std::string&) { m["tensors"]["user_emb"]["kind"] = 1.5; }},
      {"a tensor that only the manifest has", tables,
       [](Json&, Json& m, std::string&) { m["tensors"]["ghost"] = {{"xxh3", "0"}}; }},
      {"metrics that are words", tables, [](Json&, Json& m, std::string&) { m["info"]["valid_metrics"] = {{"a", "b"}}; }},
      {"a seed that is a word", tables, [](Json&, Json& m, std::string&) { m["info"]["seed"] = "x"; }},
      {"a number of rows that no integer holds", tables, [](Json&, Json& m, std::string&) { m["info"]["n_train"] = 1e300; }},
      {"an unknown dtype", tables, [](Json& h, Json&, std::string&) { h["user_emb"]["dtype"] = "F16"; }},
      {"weights out of range", weights,
       [&](Json& h, Json&, std::string& d) { put(h, d, "serving.weights.columns", 0, int32_t{50}); }},
      {"weights that are infinite", weights,
       [&](Json& h, Json&, std::string& d) { put(h, d, "serving.weights.values", 0, 1.0f / 0.0f); }},
      {"weights' offsets that fall", weights,
       [&](Json& h, Json&, std::string& d) { put(h, d, "serving.weights.offsets", 1, int64_t{-4}); }},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.name);
    std::string message;
    const rec_status_t status = load_bytes(forged(row.file, row.change), &message);
    EXPECT_TRUE(status == REC_CORRUPT_DATA || status == REC_LIMIT || status == REC_DENIED)
        << rec_status_name(status) << " " << message;
  }
}

TEST_F(ModelFile, OfAnotherVersionIsUnsupported) {
  using Json = nlohmann::ordered_json;
  std::string message;
  EXPECT_EQ(
      load_bytes(forged(bytes_of("bprmf"), [](Json&, Json& m, std::string&) { m["format_version"] = 2; }), &message),
      REC_UNSUPPORTED);
  EXPECT_NE(message.find("version 2"), std::string::npos) << message;
}

TEST_F(ModelFile, OfAnotherKindIsNamed) {
  const std::pair<const char*, std::string> cases[] = {{"looks like a zip archive", "PK\x03\x04 and so on and on"},
                                                       {"looks like a Python pickle", "\x80\x04\x95 and so on and on"},
                                                       {"looks like HTML or XML", "<html><body>404</body></html>"},
                                                       {"begins with 'user,item,rating'", "user,item,rating"}};
  for (const auto& [what, bytes] : cases) {
    std::string message;
    EXPECT_EQ(load_bytes(bytes, &message), REC_CORRUPT_DATA);
    EXPECT_EQ(message, "model bytes: not a model, which begins with the 8 bytes of a length and '{'; this " +
                           std::string(what) + " (at byte 0)");
  }
}

TEST_F(ModelFile, ThatWasCutSaysSo) {
  const std::string bytes = bytes_of("bprmf"), most = std::to_string(bytes.size() - 5);
  const auto said = [&](size_t n) {
    std::string message;
    load_bytes(bytes.substr(0, n), &message);
    return message;
  };
  EXPECT_NE(said(bytes.size() - 5).find("cut short: " + most + " bytes, of which the header needs"), std::string::npos)
      << said(bytes.size() - 5);
  EXPECT_NE(said(100).find("cut short: 100 bytes, of which the header alone needs"), std::string::npos) << said(100);
  EXPECT_NE(said(3).find("too short for a model"), std::string::npos) << said(3);
}

// The beginning is checked before memory is taken for the rest, of which a limit on memory would tell.
TEST_F(ModelFile, OfZerosIsNotReadWhole) {
  const std::string path = folder_.file("zeros", "");
  std::filesystem::resize_file(path, int64_t{1} << 40);
  rec_model_t* model = nullptr;
  rec_load_options_t options{};
  options.struct_size = sizeof options;
  options.memory_limit_bytes = 1 << 20;
  EXPECT_EQ(rec_model_load(path.c_str(), &options, nullptr, &model, nullptr), REC_CORRUPT_DATA);
}

TEST_F(ModelFile, AboveTheLimitNamesIt) {
  bytes_of("bprmf");
  rec_load_options_t options{};
  options.struct_size = sizeof options;
  options.memory_limit_bytes = 100;
  try {
    make<rec_model_t>([&](rec_model_t** out, rec_error_t** error) {
      return rec_model_load((folder_ / "m.rec").c_str(), &options, nullptr, out, error);
    });
    FAIL();
  } catch (const CallFailed& failure) {
    EXPECT_NE(std::string(failure.what()).find("LIMIT: memory_limit_bytes: " + (folder_ / "m.rec") + " needs"),
              std::string::npos)
        << failure.what();
  }
}

TEST_F(ModelFile, ThatIsNoFileNeverHangs) {
  rec_model_t* model = nullptr;
  const std::string fifo = folder_ / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_model_load(fifo.c_str(), nullptr, nullptr, &model, &error), REC_INVALID_ARGUMENT);
  const Handle<rec_error_t> owner(error);
  EXPECT_STREQ(rec_error_argument(error), "path");
  EXPECT_EQ(rec_error_message(error), "path: cannot read " + fifo + ": it is a FIFO, not a regular file");
  EXPECT_EQ(rec_model_load(folder_.path().c_str(), nullptr, nullptr, &model, nullptr), REC_INVALID_ARGUMENT);
  EXPECT_EQ(rec_model_load((folder_ / "none").c_str(), nullptr, nullptr, &model, nullptr), REC_NOT_FOUND);
  EXPECT_EQ(model, nullptr);
}

TEST_F(ModelFile, OnAFullDiskIsAnIoErrorAndTheOldOneStays) {
  const std::string before = bytes_of("bprmf");
  const auto model = load(folder_ / "m.rec");
  // A file size limit makes write fail as a full disk does.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{512, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const rec_status_t status = rec_model_save(model.get(), (folder_ / "m.rec").c_str(), nullptr, nullptr, nullptr);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(status, REC_IO);
  std::ifstream file(folder_ / "m.rec", std::ios::binary);
  EXPECT_EQ((std::string{std::istreambuf_iterator<char>(file), {}}), before);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1) << "the temporary file is gone";
}

TEST_F(ModelFile, WhosePluginWouldTakeTooMuchMemoryIsRefusedBeforeItDoes) {
  const std::string bytes = bytes_of("fpmc");
  const std::string wide = forged(bytes, [](nlohmann::ordered_json&, nlohmann::ordered_json& manifest, std::string&) {
    manifest["info"]["parameters"]["emb_size"] = 4096;
  });
  std::string message;
  constexpr int64_t kLimit = 128 << 10;  // 4096 numbers of 12 rows of four bytes are 196 KB
  EXPECT_EQ(load_bytes(bytes, &message, kLimit), REC_OK) << message;
  EXPECT_EQ(load_bytes(wide, &message, kLimit), REC_LIMIT);
  EXPECT_NE(message.find("memory_limit_bytes: the plugin with the file's parameters needs"), std::string::npos)
      << message;
  EXPECT_EQ(load_bytes(bytes, &message, std::ssize(bytes)), REC_LIMIT) << "the file counts too";
  EXPECT_EQ(load_bytes(bytes, &message, -1), REC_INVALID_ARGUMENT);
}

TEST_F(ModelFile, WithoutUserDataCannotExcludeSeen) {
  const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
  const auto model = train(data.get(), "bprmf", R"({"emb_size": 3, "epochs": 1})");
  rec_save_options_t options{};
  options.struct_size = sizeof options;
  options.no_user_data = 1;
  ASSERT_EQ(rec_model_save(model.get(), (folder_ / "n.rec").c_str(), &options, nullptr, nullptr), REC_OK);
  const auto loaded = load(folder_ / "n.rec");
  rec_recommender_options_t wants{};
  wants.struct_size = sizeof wants;
  wants.exclude_seen = 1;
  rec_recommender_t* out = nullptr;
  EXPECT_EQ(rec_recommender_create(loaded.get(), &wants, &out, nullptr), REC_UNSUPPORTED);
}

class Checkpoint : public ModelFile {
 protected:
  Checkpoint() { options_.struct_size = sizeof options_; }

  std::string path() const { return folder_ / "a.ckpt"; }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  Handle<rec_trainer_t> with_checkpoints(bool resume, int64_t epochs = 3) {
    const std::string at = path();
    options_.checkpoint_path = at.c_str();
    options_.checkpoint_batches = 1;
    options_.resume = resume;
    return trainer(data_.get(), "bprmf", R"({"emb_size": 3, "epochs": )" + std::to_string(epochs) + "}", &options_);
  }
  static void run(rec_trainer_t* t) {
    call([&](rec_error_t** error) { return rec_trainer_run(t, nullptr, error); });
  }
  // The error that refuses a new trainer.
  CallFailed refusal(bool resume) {
    try {
      with_checkpoints(resume);
    } catch (const CallFailed& failure) {
      return failure;
    }
    return {REC_OK, nullptr};
  }

  rec_trainer_options_t options_{};
  // User 1 has every item, so that no AUC is defined.
  Handle<rec_dataset_t> data_ =
      dataset({1, 1, 1, 2, 2}, {10, 11, 12, 10, 11},
              {REC_PART_TRAIN, REC_PART_TRAIN, REC_PART_VALID, REC_PART_TRAIN, REC_PART_TRAIN});
};

TEST_F(Checkpoint, ThatLiesUnderRightChecksumsIsRefused) {
  using Json = nlohmann::ordered_json;
  run(with_checkpoints(false).get());
  const std::string good = read("a.ckpt");
  folder_.file("a.ckpt", forged(good, [](Json&, Json&, std::string&) {}));
  ASSERT_EQ(refusal(true).status, REC_OK) << "the forger itself is right";
  const std::pair<const char*, std::function<void(Json&)>> cases[] = {
      {"more metrics than the run has", [](Json& m) { m["last"]["metrics"] = std::vector<double>(50, 0.5); }},
      {"fewer metrics than the run has", [](Json& m) { m["best"]["metrics"] = {0.5}; }},
      {"metrics that are none", [](Json& m) { m["last"]["metrics"] = {"x", "y"}; }},
      {"fewer epochs than are done", [](Json& m) { m["last"]["epoch"] = 1; }},
      {"an epoch that no integer holds", [](Json& m) { m["last"]["epoch"] = 1e300; }},
      {"a count of stale epochs that is no whole number", [](Json& m) { m["stale"] = 0.5; }},
      {"a best epoch to come", [](Json& m) { m["best"]["epoch"] = 99; }},
      {"a negative count of stale epochs", [](Json& m) { m["stale"] = -1; }},
  };
  for (const auto& [name, change] : cases) {
    folder_.file("a.ckpt", forged(good, [&](Json&, Json& manifest, std::string&) { change(manifest); }));
    EXPECT_EQ(refusal(true).status, REC_CORRUPT_DATA) << name;
  }
}

TEST_F(Checkpoint, AndModelAreToldApart) {
  run(with_checkpoints(false).get());
  try {
    load(path());
    ADD_FAILURE() << "a checkpoint is no model";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.argument, "path");
    EXPECT_NE(std::string(failure.what()).find("path: " + path() + ": is a checkpoint, not a model"), std::string::npos)
        << failure.what();
  }
  std::filesystem::remove(path() + ".prev");
  folder_.file("a.ckpt", bytes_of("bprmf"));
  const CallFailed resumed = refusal(true);
  EXPECT_EQ(resumed.argument, "checkpoint_path");
  EXPECT_NE(std::string(resumed.what()).find(path() + ": is a model, not a checkpoint"), std::string::npos)
      << resumed.what();
  folder_.file("a.ckpt", "abc");
  EXPECT_NE(std::string(refusal(true).what()).find("too short for a checkpoint"), std::string::npos);
}

TEST_F(Checkpoint, OfMoreEpochsThanAreWantedIsRefused) {
  run(with_checkpoints(false, 3).get());
  with_checkpoints(true, 3);
  try {
    with_checkpoints(true, 2);
    ADD_FAILURE() << "went back";
  } catch (const CallFailed& failure) {
    EXPECT_EQ(failure.argument, "epochs");
    EXPECT_NE(std::string(failure.what()).find("epochs: must be at least 3, as " + path() + " has come so far, got 2"),
              std::string::npos)
        << failure.what();
  }
}

TEST_F(Checkpoint, EventsCountNoEpochTooMany) {
  static std::vector<std::array<int64_t, 3>> seen;
  seen.clear();
  rec_run_options_t options{};
  options.struct_size = sizeof options;
  options.on_event = [](const rec_event_t* event, void*) {
    EXPECT_LE(event->epoch, event->n_epochs);
    if (event->kind == REC_EVENT_CHECKPOINT) seen.push_back({event->epoch, event->batch, event->n_batches});
    return rec_status_t{REC_OK};
  };
  const auto t = with_checkpoints(false, 2);
  call([&](rec_error_t** error) { return rec_trainer_run(t.get(), &options, error); });
  ASSERT_FALSE(seen.empty());
  EXPECT_EQ(seen.back()[0], 2);
  EXPECT_EQ(seen.back()[1], seen.back()[2]) << "all batches of the last epoch are done";
}

TEST_F(Checkpoint, BeforeADamagedOneOutlivesAFailedWrite) {
  run(with_checkpoints(false).get());
  const std::string before = read("a.ckpt.prev"), damaged = read("a.ckpt").substr(0, 100);
  ASSERT_NE(before, "");
  folder_.file("a.ckpt", damaged);
  const auto t = with_checkpoints(true, 6);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const rlimit tight{512, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &tight);
  const rec_status_t status = rec_trainer_run(t.get(), nullptr, nullptr);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(status, REC_IO);
  EXPECT_TRUE(read("a.ckpt.prev") == before);
  EXPECT_EQ(read("a.ckpt"), damaged) << "nothing moves before the new one is whole";
  run(with_checkpoints(true, 6).get());
  EXPECT_NE(read("a.ckpt.prev"), damaged);
}

TEST_F(Checkpoint, PathOfSomethingElseIsRefused) {
  const auto refused = [&](const char* what) {
    for (bool resume : {false, true}) {
      const CallFailed failure = refusal(resume);
      EXPECT_NE(failure.status, REC_OK) << what;
      if (resume) continue;  // an error of the file's reader
      EXPECT_EQ(failure.status, REC_INVALID_ARGUMENT) << what;
      EXPECT_EQ(failure.argument, "checkpoint_path") << what;
      EXPECT_NE(std::string(failure.what()).find(path()), std::string::npos) << failure.what();
    }
    EXPECT_FALSE(std::filesystem::exists(path() + ".prev")) << what;
  };
  std::filesystem::create_directory(path());
  refused("a folder");
  std::filesystem::remove(path());
  folder_.file("a.ckpt", "user,item\n1,2\n");
  refused("a text");
  folder_.file("a.ckpt", bytes_of("bprmf"));
  refused("a model");
}

TEST_F(Checkpoint, OfAnotherProtocolOrMainMetricIsRefused) {
  options_.metrics = "ndcg@2,recall@2";
  run(with_checkpoints(false).get());
  ASSERT_EQ(refusal(true).status, REC_OK);
  rec_protocol_t protocol{};
  protocol.struct_size = sizeof protocol;
  protocol.mask = REC_MASK_TRAIN;
  options_.protocol = &protocol;
  EXPECT_NE(std::string(refusal(true).what()).find("; protocol.mask is "), std::string::npos) << refusal(true).what();
  options_.protocol = nullptr;
  options_.main_metric = "recall@2";
  EXPECT_NE(std::string(refusal(true).what()).find("; main_metric is "), std::string::npos) << refusal(true).what();
}

TEST_F(Checkpoint, WithAMetricThatIsNoNumberIsResumed) {
  options_.metrics = "ndcg@2,gauc";
  run(with_checkpoints(false).get());
  ASSERT_NE(read("a.ckpt").find("null"), std::string::npos) << "gauc is NaN";
  run(with_checkpoints(true, 4).get());
}

}  // namespace
}  // namespace rec::test
