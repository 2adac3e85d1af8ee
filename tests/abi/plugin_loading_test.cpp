// Plugins that are old, new, broken or not plugins at all.
#include <dlfcn.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

constexpr const char* kEvil = REC_BUILD_FOLDER "/lib/recore/evil/librecore_";

std::pair<rec_status_t, std::string> load_plugin(const std::string& path) {
  rec_error_t* error = nullptr;
  const rec_status_t status = rec_plugin_load(path.c_str(), &error);
  const Handle<rec_error_t> owner(error);
  return {status, error != nullptr ? rec_error_message(error) : ""};
}
std::string evil(const std::string& name) { return kEvil + name + ".so"; }

TEST(PluginLoading, RefusesByNameOfTheReason) {
  const struct {
    const char* name;
    rec_status_t status;
    const char* says;
  } cases[] = {
      {"evil_future", REC_ABI_MISMATCH, "needs plugin ABI 1.7, this library has 1.0"},
      {"evil_major", REC_ABI_MISMATCH, "needs plugin ABI 2.0"},
      {"evil_minor", REC_PLUGIN_FAILED, "lowest host minor 3, its note 1.0 and 0"},
      {"evil_version", REC_PLUGIN_FAILED, "its table names evil_version 1.0.1, its note evil_version 1.0.0"},
      {"evil_init", REC_UNSUPPORTED, "this machine is not good enough"},
      {"evil_null", REC_PLUGIN_FAILED, "gave no table"},
      {"evil_slot", REC_PLUGIN_FAILED, "slot create is missing"},
  };
  for (const auto& row : cases) {
    SCOPED_TRACE(row.name);
    const auto [status, message] = load_plugin(evil(row.name));
    EXPECT_EQ(status, row.status) << message;
    EXPECT_NE(message.find(row.says), std::string::npos) << message;
    EXPECT_NE(message.find(row.name), std::string::npos) << "names the file: " << message;
  }
}

// A slot beyond the table of an older plugin is neither read nor called.
TEST(PluginLoading, TakesATableThatEndsEarlier) {
  ASSERT_EQ(load_plugin(evil("old_table")), std::pair(REC_OK, std::string()));
  const auto data = dataset({1, 1, 2, 2}, {10, 11, 10, 11});
  const auto trained = train(data.get(), "old_table", R"({"epochs": 1})");
  const auto t = trainer(data.get(), "old_table", R"({"epochs": 1})");
  rec_error_t* error = nullptr;  // warm_start falls back to tensors of the same name
  const rec_status_t status = rec_trainer_warm_start(t.get(), trained.get(), &error);
  const Handle<rec_error_t> owner(error);
  EXPECT_EQ(status, REC_INVALID_ARGUMENT) << "it has no parameter to start from, and says so";
}

TEST(PluginLoading, RefusesWhatIsNoPlugin) {
  TempFolder folder;
  std::ifstream source(evil("evil_nan"), std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(source), {}};
  const std::string text = folder.file("text.so", "not a library"), fifo = folder / "fifo";
  EXPECT_EQ(load_plugin(text),
            std::pair(REC_PLUGIN_FAILED, text + ": not a plugin: a shared object (ELF) is expected, this "
                                                "begins with 'not a library'"));
  EXPECT_EQ(load_plugin("/proc/self/exe").first, REC_PLUGIN_FAILED);
  EXPECT_EQ(load_plugin(""), std::pair(REC_INVALID_ARGUMENT, std::string("path: is empty")));
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_EQ(load_plugin(fifo),
            std::pair(REC_INVALID_ARGUMENT, "path: cannot read " + fifo + ": it is a FIFO, not a regular file"));
  rec_error_t* error = nullptr;
  EXPECT_EQ(rec_plugin_add_folder(text.c_str(), &error), REC_INVALID_ARGUMENT);
  const Handle<rec_error_t> owner(error);
  EXPECT_EQ(rec_error_message(error), "path: " + text + " is a file, not a folder");
  EXPECT_EQ(load_plugin(folder.file("empty.so", "")).first, REC_PLUGIN_FAILED);
  EXPECT_EQ(load_plugin(folder.file("cut.so", bytes.substr(0, 100))).first, REC_PLUGIN_FAILED);
  EXPECT_EQ(load_plugin(folder / "missing.so").first, REC_NOT_FOUND);
  EXPECT_EQ(load_plugin(folder.path()).first, REC_INVALID_ARGUMENT);
  std::string other = bytes;
  other[18] = static_cast<char>(0xF3);  // e_machine: RISC-V
  const auto [status, message] = load_plugin(folder.file("other.so", other));
  EXPECT_EQ(status, REC_ABI_MISMATCH);
  EXPECT_NE(message.find("another machine"), std::string::npos) << message;
  // Every truncation of the head is an error, never a crash.
  for (size_t n = 0; n < 2000; n += 7)
    EXPECT_NE(load_plugin(folder.file("c" + std::to_string(n) + ".so", bytes.substr(0, n))).first, REC_OK);
  EXPECT_EQ(load_plugin(REC_BUILD_FOLDER "/lib/fake_here/libc10.so").first, REC_PLUGIN_FAILED)
      << "a library without a note";
}

TEST(PluginLoading, RefusesAFileThatEverybodyMayWrite) {
  TempFolder folder;
  const std::string path = folder / "librecore_evil_nan.so";
  std::filesystem::copy_file(evil("evil_nan"), path);
  chmod(path.c_str(), 0666);
  EXPECT_EQ(load_plugin(path).first, REC_DENIED);
}

// Anybody who may write a folder above the file could put another in its place.
TEST(PluginLoading, RefusesAFileThatOthersCouldReplace) {
  TempFolder folder;
  const std::string open = folder / "open", inside = open + "/inside", path = inside + "/librecore_evil_nan.so";
  std::filesystem::create_directories(inside);
  std::filesystem::copy_file(evil("evil_nan"), path);
  chmod(open.c_str(), 0777);
  auto [status, message] = load_plugin(path);
  EXPECT_EQ(status, REC_DENIED);
  EXPECT_EQ(message, path + ": refused, since " + open + " may be written by everybody");
  const std::string link = folder / "librecore_evil_nan.so";  // a link does not hide where it leads
  std::filesystem::create_symlink(path, link);
  EXPECT_EQ(load_plugin(link).second, message);
  chmod(open.c_str(), 0755);
  if (geteuid() == 0) {  // only root can give a file away
    ASSERT_EQ(chown(path.c_str(), 12345, 12345), 0);
    EXPECT_EQ(load_plugin(path).second, path + ": refused, since " + path + " belongs to another user (uid 12345)");
    ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
  }
  EXPECT_EQ(load_plugin(path).first, REC_OK);
}

// A file that crashes when it is loaded, one of another model's name, and one that others may replace.
TEST(PluginLoading, IsNotNeededForAList) {
  TempFolder folder;
  std::filesystem::copy_file(evil("evil_crash"), folder / "librecore_evil_crash.so");
  std::filesystem::copy_file(evil("evil_nan"), folder / "librecore_evil_other.so");
  std::filesystem::copy_file(evil("evil_slot"), folder / "librecore_evil_slot.so");
  chmod((folder / "librecore_evil_slot.so").c_str(), 0666);
  call([&](rec_error_t** error) { return rec_plugin_add_folder(folder.path().c_str(), error); });
  const auto text = make<rec_text_t>([](rec_text_t** out, rec_error_t** error) { return rec_plugin_list(out, error); });
  std::map<std::string, nlohmann::json> listed;
  for (const auto& plugin : nlohmann::json::parse(rec_text_data(text.get()))) listed[plugin["name"]] = plugin;
  EXPECT_EQ(listed.at("evil_crash")["error"], "");
  EXPECT_EQ(listed.at("evil_crash")["doc"], "breaks the contract");
  EXPECT_EQ(listed.at("evil_crash")["version"], "1.0.0");
  EXPECT_EQ(listed.at("evil_other")["error"],
            (folder / "librecore_evil_other.so") + ": its note names the model 'evil_nan', not 'evil_other'");
  EXPECT_NE(std::string(listed.at("evil_slot")["error"]).find("may be written by everybody"), std::string::npos);
}

TEST(PluginLoading, LoadsTheSameFileTwiceAndAnotherOfItsNameNever) {
  EXPECT_EQ(load_plugin(evil("evil_table")).first, REC_OK);
  EXPECT_EQ(load_plugin(evil("evil_table")).first, REC_OK);
  TempFolder folder;
  const std::string path = folder / "librecore_evil_table.so";
  std::filesystem::copy_file(evil("evil_table"), path);
  EXPECT_EQ(load_plugin(path).first, REC_BAD_STATE);
}

TEST(PluginLoading, ServesByTablesAPluginThatScoresToo) {
  ASSERT_EQ(load_plugin(evil("scores_too")).first, REC_OK);
  const auto model = train(dataset({1, 2}, {5, 6}).get(), "scores_too", "{}");
  EXPECT_EQ(top_k(recommender(model.get()).get(), {1}, 2).status[0], REC_OK);
}

TEST(PluginContract, IsHeldAgainstWhatEncodeGives) {
  const auto data = dataset({1, 2}, {5, 6});
  for (const auto& [name, status] :
       {std::pair{"encodes", REC_OK}, {"evil_encode_large", REC_NUMERIC}, {"evil_encode_nan", REC_NUMERIC}}) {
    SCOPED_TRACE(name);
    ASSERT_EQ(load_plugin(evil(name)).first, REC_OK);
    const auto model = train(data.get(), name, "{}");
    const auto answers = recommender(model.get());
    std::string message;
    try {
      top_k(answers.get(), {1}, 2);
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.status, status);
      message = failure.what();
    }
    EXPECT_EQ(message.find("encode gave a vector with a number that is NaN or above 1e15") != message.npos,
              status != REC_OK)
        << message;
  }
}

TEST(PluginLoading, RefusesASecondLibTorchNamingBothFiles) {
  void* first = dlopen(REC_BUILD_FOLDER "/lib/fake_here/libc10.so", RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(first, nullptr) << dlerror();
  const auto [status, message] = load_plugin(evil("evil_torch"));
  EXPECT_EQ(status, REC_UNSUPPORTED);
  EXPECT_NE(message.find("fake_here/libc10.so"), std::string::npos) << message;
  EXPECT_NE(message.find("fake_there/libc10.so"), std::string::npos) << message;
  dlclose(first);
  EXPECT_EQ(load_plugin(evil("evil_torch")).first, REC_OK) << "the only one is welcome";
}

TEST(PluginLoading, SaysWhichRuntimeIsMissing) {
  const auto [status, message] = load_plugin(evil("evil_lost"));
  EXPECT_EQ(status, REC_UNSUPPORTED);
  for (const char* part :
       {"model 'evil_lost' needs libtorch 2.x, which is not found", "liblost_runtime.so", "LD_LIBRARY_PATH"})
    EXPECT_NE(message.find(part), std::string::npos) << message;
}

TEST(Readers, AreHeldAgainstTheirInterface) {
  const TempFolder folder;
  const std::string file = folder.file("rows.parquet", "PAR1, and not a Parquet file");
  const auto load = [&] {
    rec_dataset_t* data = nullptr;
    rec_error_t* error = nullptr;
    const rec_status_t status = rec_dataset_load(file.c_str(), nullptr, nullptr, &data, &error);
    const std::string message = rec_error_message(error);
    rec_error_destroy(error);
    return std::pair(status, message);
  };
#ifdef REC_HAS_PARQUET
  EXPECT_EQ(load().first, REC_INVALID_DATA) << load().second;
#else
  EXPECT_EQ(load().first, REC_UNSUPPORTED);
  EXPECT_NE(load().second.find("recore_read_parquet.so"), std::string::npos) << load().second;
#endif
  const struct {
    const char* name;
    rec_status_t status;
    const char* says;
  } cases[] = {{"fails", REC_INVALID_DATA, "rows.parquet: it wants users"},
               {"null", REC_PLUGIN_FAILED, "its table is not complete"},
               {"abi", REC_ABI_MISMATCH, "is for version 2 of the interface of readers"},
               {"format", REC_PLUGIN_FAILED, "reads 'orc'"}};
  for (const auto& row : cases) {
    const std::string readers = std::string(REC_BUILD_FOLDER "/lib/readers/") + row.name;
    ASSERT_EQ(rec_plugin_add_folder(readers.c_str(), nullptr), REC_OK);  // searched before the others
    const auto [status, message] = load();
    EXPECT_EQ(status, row.status) << message;
    EXPECT_NE(message.find(row.says), std::string::npos) << message;
  }
}

TEST(PluginLog, IsDeliveredOrCountedAsLost) {
  ASSERT_EQ(load_plugin(evil("evil_chatty")).first, REC_OK);
  static int64_t n_lines;
  n_lines = 0;
  int64_t n_lost = 0;
  rec_log_poll(nullptr, nullptr);
  rec_log_set_sink([](int32_t, const char* line, void*) { n_lines += std::string_view(line) == "evil n=1"; },
                   REC_LOG_WARNING, nullptr, nullptr, nullptr);
  const auto data = dataset({1, 1}, {5, 6});
  trainer(data.get(), "evil_chatty", "{}");  // a long call delivers lines; rec_log_poll counts the lost ones
  EXPECT_EQ(rec_log_poll(&n_lost, nullptr), REC_OK);
  rec_log_set_sink(nullptr, REC_LOG_ERROR, nullptr, nullptr, nullptr);
  EXPECT_EQ(n_lines + n_lost, 20000);
}

TEST(PluginContract, IsHeldAgainstThePlugin) {
  const struct {
    const char* name;
    rec_status_t status;
    const char* says;
  } cases[] = {
      {"evil_param", REC_PLUGIN_FAILED, "asked for a parameter it does not declare: 'undeclared'"},
      {"evil_column", REC_UNSUPPORTED, "wants column 13"},
      {"evil_log_q", REC_UNSUPPORTED, "plans the column LOG_Q"},
      {"evil_unserved", REC_PLUGIN_FAILED, "plans no way to be served"},
      {"evil_features", REC_UNSUPPORTED, "it must be served by its tables"},
      {"evil_greedy", REC_LIMIT, "memory_limit_bytes"},
      {"evil_silent", REC_NUMERIC, "compute failed"},
      {"evil_status", REC_PLUGIN_FAILED, "unknown status 4711"},
      {"evil_tensors", REC_LIMIT, "does not fit"},
      {"evil_name", REC_PLUGIN_FAILED, "no tensor may be called 'users.offsets'"},
      {"evil_table", REC_PLUGIN_FAILED, "get_table gave no float32 [2, d]"},
      {"evil_weights", REC_PLUGIN_FAILED, "get_item_weights gave rows that are not sound"},
      {"evil_nan", REC_NUMERIC, "nan"},
      {"evil_wide", REC_PLUGIN_FAILED, "the user table has 1 columns and the item table 2"},
  };
  const auto data = dataset({1, 2}, {5, 6});
  for (const auto& row : cases) {
    SCOPED_TRACE(row.name);
    const auto [loaded, why] = load_plugin(evil(row.name));
    EXPECT_EQ(loaded, REC_OK) << why;
    rec_trainer_options_t options{};
    options.struct_size = sizeof options;
    options.memory_limit_bytes = int64_t{1} << 40;
    try {
      const auto t = trainer(data.get(), row.name, "{}", &options);
      call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
      ADD_FAILURE() << "went through";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.status, row.status) << failure.what();
      EXPECT_NE(std::string(failure.what()).find(row.says), std::string::npos) << failure.what();
    }
  }
}

}  // namespace
}  // namespace rec::test
