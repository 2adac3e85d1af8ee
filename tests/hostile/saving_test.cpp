// What a save replaces, what it keeps, and what a failure or a kill leaves.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <thread>

#include "core/base/descriptor.h"
#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace {
int fail_fsync_in = 0;  // 1 fails the next fsync, 2 the one after it
bool has_proc = true;
}  // namespace

// These take libc's place in this program.
extern "C" int fsync(int fd) {
  if (fail_fsync_in > 0 && --fail_fsync_in == 0) return errno = EIO, -1;
  return static_cast<int>(syscall(SYS_fsync, fd));
}
extern "C" int access(const char* path, int mode) noexcept {
  if (!has_proc && std::string_view(path).starts_with("/proc")) return errno = ENOENT, -1;
  return static_cast<int>(syscall(SYS_faccessat, AT_FDCWD, path, mode));
}
extern "C" int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  if (!has_proc && std::string_view(from).starts_with("/proc")) return errno = ENOENT, -1;
  return static_cast<int>(syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}

namespace rec::test {
namespace {

class Saving : public testing::Test {
 protected:
  static void SetUpTestSuite() { rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr); }

  void SetUp() override {
    const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
    model_ = train(data.get(), "popularity", "{}");
  }
  // The library's message, "" for success.
  std::string saved(const std::string& path) const {
    rec_error_t* error = nullptr;
    status_ = rec_model_save(model_.get(), path.c_str(), nullptr, nullptr, &error);
    const Handle<rec_error_t> owner(error);
    return error != nullptr ? rec_error_message(error) : "";
  }
  static mode_t mode_of(const std::string& path) {
    struct stat status;
    return lstat(path.c_str(), &status) == 0 ? status.st_mode : 0;
  }
  Handle<rec_model_t> model_;
  mutable rec_status_t status_ = REC_OK;
  TempFolder folder_;
};

TEST_F(Saving, ReplacesRegularFilesOnly) {
  const std::string fifo = folder_ / "fifo", socket_path = folder_ / "socket", inside = folder_ / "folder";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  ASSERT_EQ(mkdir(inside.c_str(), 0700), 0);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(socket_path.size(), sizeof address.sun_path);
  socket_path.copy(address.sun_path, sizeof address.sun_path);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  for (const auto& [path, what] : {std::pair{fifo, "it is a FIFO"},
                                   {inside, "it is a folder"},
                                   {socket_path, "it is a socket"},
                                   {std::string("/dev/null"), "it is a device"}}) {
    const mode_t before = mode_of(path);
    EXPECT_EQ(saved(path), "path: cannot write " + path + ": " + what + ", not a regular file");
    EXPECT_EQ(status_, REC_INVALID_ARGUMENT);
    EXPECT_EQ(mode_of(path), before);
  }
  close(listener);
}

TEST_F(Saving, FollowsASymbolicLinkAndKeepsTheMode) {
  const std::string target = folder_.file("deep/target", "old"), link = folder_ / "link", lost = folder_ / "lost";
  ASSERT_EQ(chmod(target.c_str(), 0640), 0);
  ASSERT_EQ(symlink("deep/target", link.c_str()), 0);
  EXPECT_EQ(saved(link), "");
  EXPECT_TRUE(S_ISLNK(mode_of(link)));
  EXPECT_EQ(mode_of(target), static_cast<mode_t>(S_IFREG | 0640));
  load(target);
  ASSERT_EQ(symlink("no/where", lost.c_str()), 0);
  EXPECT_EQ(saved(lost),
            "cannot write " + lost + ": it is a symbolic link to " + (folder_ / "no/where") + ", which cannot be made");
  const std::string fresh = folder_ / "fresh";
  const mode_t mask = umask(027);
  EXPECT_EQ(saved(fresh), "");
  umask(mask);
  EXPECT_EQ(mode_of(fresh), static_cast<mode_t>(S_IFREG | 0640));
}

TEST_F(Saving, MakesTheFileThatALinkNames) {
  const std::string link = folder_ / "link", other = folder_ / "other", loop = folder_ / "loop";
  ASSERT_EQ(mkdir((folder_ / "deep").c_str(), 0700), 0);
  ASSERT_EQ(symlink("deep/target", link.c_str()), 0);
  ASSERT_EQ(symlink("link", other.c_str()), 0);
  EXPECT_EQ(saved(other), "");
  EXPECT_TRUE(S_ISLNK(mode_of(other)) && S_ISLNK(mode_of(link)));
  load(folder_ / "deep/target");
  ASSERT_EQ(symlink("loop", loop.c_str()), 0);
  EXPECT_NE(saved(loop).find("which cannot be made"), std::string::npos);
}

// As anybody may put a link into /tmp. Needs root, as only root can make another user's link.
TEST_F(Saving, DoesNotFollowAnotherUsersLinkInASharedFolder) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const std::string shared = folder_ / "shared", target = folder_.file("precious", "precious"),
                    link = shared + "/m.rec";
  ASSERT_EQ(mkdir(shared.c_str(), 0777), 0);
  ASSERT_EQ(chmod(shared.c_str(), 01777), 0);
  ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
  ASSERT_EQ(lchown(link.c_str(), 12345, 12345), 0);
  EXPECT_NE(saved(link).find("another user's symbolic link"), std::string::npos);
  EXPECT_EQ(status_, REC_DENIED);
  const Buffer<char> bytes = read_file(target);
  EXPECT_EQ(std::string_view(bytes.data(), bytes.size()), "precious");
}

TEST_F(Saving, WorksWithTheLongestNames) {
  const std::string longest(255, 'a');
  EXPECT_EQ(saved(folder_ / longest), "");
  load(folder_ / longest);
  EXPECT_NE(saved(folder_ / (longest + "a")).find("File name too long"), std::string::npos);
}

// The checkpoint before is kept under the same name with .prev behind it.
TEST_F(Saving, KeepsCheckpointsOfNamesThatLeaveRoom) {
  const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
  for (const size_t n : {250u, 251u}) {
    const std::string path = folder_ / std::string(n, 'c');
    rec_trainer_options_t options{};
    options.struct_size = sizeof options;
    options.checkpoint_path = path.c_str();
    options.checkpoint_batches = 1;
    const auto run = [&] {
      const auto t = trainer(data.get(), "bprmf", R"({"epochs": 3})", &options);
      call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
    };
    if (n == 250) {
      run();
      EXPECT_TRUE(file_exists(path + ".prev"));
      continue;
    }
    try {
      run();
      FAIL() << "there is no room for .prev";
    } catch (const CallFailed& failure) {
      EXPECT_EQ(failure.argument, "checkpoint_path");
      EXPECT_NE(std::string(failure.what()).find("at most 250 bytes"), std::string::npos) << failure.what();
    }
  }
}

TEST_F(Saving, ReportsThatTheDiskFailsToFlush) {
  const std::string path = folder_ / "m.rec";
  write_file_atomically(path, [](FileWriter& out) { out.write("old"); });
  fail_fsync_in = 1;
  EXPECT_EQ(saved(path), "cannot flush " + path + ": Input/output error");
  EXPECT_EQ(status_, REC_IO);
  const Buffer<char> bytes = read_file(path);
  EXPECT_EQ(std::string_view(bytes.data(), bytes.size()), "old");
  fail_fsync_in = 2;
  EXPECT_EQ(saved(path), "cannot flush the folder of " + path + ": Input/output error");
  EXPECT_EQ(status_, REC_IO);
  fail_fsync_in = 0;
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"m.rec"});
}

TEST_F(Saving, RemovesWhatAKilledSaveLeftAndNothingElse) {
  const std::string path = folder_ / "m.rec", mine = folder_.file("m.rec.tmp0", "mine");
  const std::string busy = folder_.file(".m.rec.recore-save0", "of a save that is running");
  const std::string leftover = folder_.file(".m.rec.recore-save1", "half");
  const Descriptor running(open(busy.c_str(), O_RDONLY | O_CLOEXEC));
  ASSERT_EQ(flock(running.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_EQ(saved(path), "");
  EXPECT_FALSE(file_exists(leftover));
  EXPECT_TRUE(file_exists(mine));
  EXPECT_TRUE(file_exists(busy));
}

TEST_F(Saving, WorksWithoutProc) {
  const std::string path = folder_ / "m.rec";
  has_proc = false;
  EXPECT_EQ(saved(path), "");
  EXPECT_EQ(saved(path), "");
  has_proc = true;
  load(path);
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"m.rec"});
}

TEST_F(Saving, SaysThatAPathIsEmpty) {
  EXPECT_EQ(saved(""), "path: is empty");
  EXPECT_EQ(status_, REC_INVALID_ARGUMENT);
  const auto refused = [](auto call, const char* argument) {
    rec_error_t* error = nullptr;
    EXPECT_EQ(call(&error), REC_INVALID_ARGUMENT);
    const Handle<rec_error_t> owner(error);
    EXPECT_STREQ(rec_error_argument(error), argument);
    EXPECT_EQ(rec_error_message(error), std::string(argument) + ": is empty");
  };
  const auto data = dataset({1, 1, 2, 2}, {10, 11, 10, 12});
  rec_model_t* model;
  rec_dataset_t* loaded;
  refused([&](rec_error_t** error) { return rec_model_load("", nullptr, nullptr, &model, error); }, "path");
  refused([&](rec_error_t** error) { return rec_dataset_load("", nullptr, nullptr, &loaded, error); }, "path");
  refused([&](rec_error_t** error) { return rec_dataset_save(data.get(), "", nullptr, error); }, "directory");
  refused([&](rec_error_t** error) { return rec_plugin_add_folder("", error); }, "path");
}

TEST_F(Saving, OfADataSetThatFailsLeavesNoFolder) {
  const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
  const std::string path = folder_ / "new/shop";
  const auto save_data = [&] { return rec_dataset_save(data.get(), path.c_str(), nullptr, nullptr); };
  fail_fsync_in = 1;
  EXPECT_EQ(save_data(), REC_IO);
  fail_fsync_in = 0;
  EXPECT_FALSE(file_exists(folder_ / "new"));
  EXPECT_EQ(save_data(), REC_OK);
}

// Checkpoints of one training; the file and the one before it.
class Checkpoints : public Saving {
 protected:
  // The error of a training that writes one after each batch, "" for success.
  std::string trained(const std::string& path, bool resume = false, int64_t memory_limit_bytes = 0,
                      const std::string& params = R"({"epochs": 3, "emb_size": 64})") {
    rec_trainer_options_t options{};
    options.struct_size = sizeof options;
    options.checkpoint_path = path.c_str();
    options.checkpoint_batches = 1;
    options.resume = resume;
    options.memory_limit_bytes = memory_limit_bytes;
    try {
      const auto data = dataset({1, 1, 2, 2, 3, 3}, {10, 11, 10, 12, 11, 12});
      const auto t = trainer(data.get(), "bprmf", params, &options);
      if (then_) then_();
      call([&](rec_error_t** error) { return rec_trainer_run(t.get(), nullptr, error); });
      return "";
    } catch (const CallFailed& failure) {
      return failure.what();
    }
  }
  std::string content(const std::string& path) {
    const Buffer<char> bytes = read_file(path);
    return {bytes.data(), static_cast<size_t>(bytes.size())};
  }
  std::function<void()> then_;  // between the trainer's creation and its run
};

TEST_F(Checkpoints, AreBesideTheTargetOfALink) {
  std::filesystem::create_directory(folder_ / "deep");
  const std::string link = folder_ / "link", target = folder_ / "deep/a.ckpt";
  ASSERT_EQ(trained(target), "");
  ASSERT_EQ(symlink("deep/a.ckpt", link.c_str()), 0);
  EXPECT_EQ(trained(link), "");
  EXPECT_TRUE(S_ISLNK(mode_of(link)));
  EXPECT_TRUE(file_exists(target + ".prev"));
  EXPECT_FALSE(file_exists(link + ".prev"));
  std::filesystem::remove(target);
  EXPECT_EQ(trained(link), "");
  EXPECT_TRUE(file_exists(target));
  std::filesystem::remove_all(folder_ / "deep");
  EXPECT_NE(trained(link).find(target + ", which cannot be made"), std::string::npos);
}

TEST_F(Checkpoints, StayWhereTheyWereWhenTheWorkingFolderChanges) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::create_directory(folder_ / "elsewhere");
  std::filesystem::current_path(folder_.path());
  then_ = [&] { std::filesystem::current_path(folder_ / "elsewhere"); };
  EXPECT_EQ(trained("a.ckpt"), "");
  std::filesystem::current_path(before);
  EXPECT_TRUE(file_exists(folder_ / "a.ckpt"));
  EXPECT_TRUE(file_exists(folder_ / "a.ckpt.prev"));
}

TEST_F(Checkpoints, DoNotReplaceAFileOfTheUser) {
  ASSERT_EQ(trained(folder_ / "a.ckpt"), "");
  const std::string mine = folder_.file("a.ckpt.prev", "mine");
  for (const bool resume : {false, true}) {
    const std::string said = trained(folder_ / "a.ckpt", resume);
    EXPECT_NE(said.find(mine + ", which is not a checkpoint"), std::string::npos) << said;
    EXPECT_EQ(content(mine), "mine");
  }
}

// The header, which says whose the file is, is read first; then memory is taken for a checkpoint of this run and no more.
TEST_F(Checkpoints, AreReadWithinTheMemoryOfTheirRun) {
  const std::string path = folder_ / "a.ckpt";
  ASSERT_EQ(trained(path), "");
  const std::string whole = content(path);
  EXPECT_EQ(trained(path, true, std::ssize(whole) + 100000), "");
  const std::string limited = trained(path, true, std::ssize(whole) - 1000);
  EXPECT_NE(limited.find("LIMIT: memory_limit_bytes: " + path + " needs"), std::string::npos) << limited;
  std::ofstream(path, std::ios::binary) << whole << std::string(20 << 20, 'x');
  const std::string large = trained(path, true);
  EXPECT_NE(large.find("LIMIT: checkpoint_path: " + path + " needs"), std::string::npos) << large;
  EXPECT_NE(large.find(", as this run's tensors and a header have no more"), std::string::npos) << large;
  const std::string other = trained(path, true, 0, R"({"epochs": 3, "emb_size": 8})");
  EXPECT_NE(other.find("is from a different run; parameters.emb_size is 64 there, 8 in this run"), std::string::npos)
      << other;
}

// Killed at a random instant, a process that saves leaves the old file or the new one, whole.
TEST_F(Saving, SurvivesKillsAtRandomInstants) {
  const std::string path = folder_ / "m.rec";
  const std::string contents[] = {std::string(20000, 'a'), std::string(30000, 'b')};
  const auto save_as = [&](const std::string& content) {
    write_file_atomically(path, [&](FileWriter& out) {
      for (size_t at = 0; at < content.size(); at += 1000) out.write(std::string_view(content).substr(at, 1000));
    });
  };
  save_as(contents[0]);
  std::minstd_rand random(1);
  for (int i = 0; i < 1000; ++i) {
    const pid_t child = fork();
    if (child == 0)
      for (int n = 0;; ++n) save_as(contents[n % 2]);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 3000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const Buffer<char> bytes = read_file(path);
    const std::string_view text(bytes.data(), static_cast<size_t>(bytes.size()));
    ASSERT_TRUE(text == contents[0] || text == contents[1]) << "kill " << i << " left " << text.size() << " bytes";
    ASSERT_LE(names_in(folder_.path()).size(), 2u);
  }
  save_as(contents[0]);
  EXPECT_EQ(names_in(folder_.path()), std::vector<std::string>{"m.rec"});
}

}  // namespace
}  // namespace rec::test
