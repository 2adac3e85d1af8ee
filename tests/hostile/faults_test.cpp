// Faults of the world around the library: locale, limits of the process, other processes. docs/faults.md lists all.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <clocale>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

class Faults : public testing::Test {
 protected:
  static void SetUpTestSuite() { rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr); }

  // Trains on a file with decimals, and saves.
  std::string trained(const std::string& name) {
    const std::string csv =
        folder_.file("a.csv", "user,item,rating\n1,10,0.5\n1,11,1.25\n2,10,4e-1\n2,12,5\n3,11,1\n3,12,2\n");
    const auto data = make<rec_dataset_t>(
        [&](rec_dataset_t** out, rec_error_t** e) { return rec_dataset_load(csv.c_str(), nullptr, nullptr, out, e); });
    const std::string path = folder_ / name;
    save(train(data.get(), "bprmf", R"({"epochs": 2, "lr": 0.05, "emb_size": 4})").get(), path);
    return path;
  }
  static std::string bytes_of(const std::string& path) {
    const Buffer<char> bytes = read_file(path);
    return {bytes.data(), static_cast<size_t>(bytes.size())};
  }
  TempFolder folder_;
};

// A host may have set a locale whose decimal point is a comma, or whose i has no dot.
TEST_F(Faults, ALocaleChangesNoNumber) {
  const std::string plain = bytes_of(trained("plain.rec"));
  setenv("LOCPATH", folder_.path().c_str(), 1);  // where glibc looks for locales
  for (const std::string name : {"de_DE", "tr_TR"}) {
    const std::string compile = "localedef -i " + name + " -f UTF-8 " + (folder_ / (name + ".UTF-8"));
    ASSERT_EQ(std::system(compile.c_str()), 0) << compile;
    ASSERT_NE(std::setlocale(LC_ALL, (name + ".UTF-8").c_str()), nullptr) << name;
    ASSERT_EQ(std::string(std::localeconv()->decimal_point), ",");
    EXPECT_EQ(bytes_of(trained("other.rec")), plain) << name;
  }
  std::setlocale(LC_ALL, "C");
}

TEST_F(Faults, TwoProcessesThatSaveToOnePathNeverMix) {
  const std::string path = folder_ / "m.rec";
  const std::string contents[] = {std::string(50000, 'a'), std::string(70000, 'b')};
  const auto save_often = [&](const std::string& content) {
    for (int i = 0; i < 300; ++i) write_file_atomically(path, [&](FileWriter& out) { out.write(content); });
  };
  pid_t children[2];
  for (int i = 0; i < 2; ++i)
    if ((children[i] = fork()) == 0) {
      try {
        save_often(contents[i]);
      } catch (const Error&) {
        _exit(1);
      }
      _exit(0);
    }
  int n_done = 0, n_failed = 0;
  while (n_done < 2) {
    if (file_exists(path)) {
      const std::string text = bytes_of(path);
      ASSERT_TRUE(text == contents[0] || text == contents[1]) << text.size() << " bytes";
    }
    int status = 0;
    while (waitpid(-1, &status, WNOHANG) > 0) {
      ++n_done;
      n_failed += status != 0;
    }
  }
  EXPECT_EQ(n_failed, 0);
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"m.rec"});
}

TEST_F(Faults, AFileCutWhileItsModelIsLoadedChangesNothing) {
  const std::string path = trained("m.rec");
  const auto model = load(path);
  const auto answers = top_k(recommender(model.get(), false).get(), {1, 2, 3}, 3);
  std::filesystem::resize_file(path, 10);
  const auto again = top_k(recommender(model.get(), false).get(), {1, 2, 3}, 3);
  EXPECT_EQ(answers.rows, again.rows);
  EXPECT_EQ(answers.scores, again.scores);
}

#if !defined(__SANITIZE_ADDRESS__)  // UBSan needs descriptors itself
TEST_F(Faults, WithoutDescriptorsOrThreadsCallsFailOrMakeDo) {
  const std::string path = trained("m.rec");
  const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
  rlimit files, tight;
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  tight = files;
  tight.rlim_cur = 3;
  setrlimit(RLIMIT_NOFILE, &tight);
  rec_model_t* model = nullptr;
  rec_error_t* error = nullptr;
  const rec_status_t status = rec_model_load(path.c_str(), nullptr, nullptr, &model, &error);
  const Handle<rec_error_t> owner(error);
  setrlimit(RLIMIT_NOFILE, &files);
  EXPECT_EQ(status, REC_IO);
  EXPECT_EQ(rec_error_message(error), "cannot open " + path + ": Too many open files");
  load(path);
  EXPECT_NE(train(data.get(), "bprmf", R"({"epochs": 1, "threads": 200})"), nullptr);
}
#endif

TEST_F(Faults, AnEnvironmentWithoutHomeAndTemporaryFolderIsEnough) {
  unsetenv("HOME");
  setenv("TMPDIR", "/nonexistent", 1);
  setenv("TZ", "Antarctica/Troll", 1);
  const std::string path = trained("m.rec");
  unsetenv("TMPDIR");
  EXPECT_NE(load(path), nullptr);
}

}  // namespace
}  // namespace rec::test
