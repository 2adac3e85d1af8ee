// What a save replaces, what it keeps, and what a failure or a kill leaves.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <thread>

#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace {
int fail_fsync_in = 0;  // 1 fails the next fsync, 2 the one after it
}

// Takes libc's place in this program.
extern "C" int fsync(int fd) {
  if (fail_fsync_in > 0 && --fail_fsync_in == 0) return errno = EIO, -1;
  return static_cast<int>(syscall(SYS_fsync, fd));
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
    EXPECT_EQ(saved(path), "cannot write " + path + ": " + what);
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
  ASSERT_EQ(symlink("nowhere", lost.c_str()), 0);
  EXPECT_EQ(saved(lost), "cannot write " + lost + ": it is a symbolic link that leads nowhere");
  const std::string fresh = folder_ / "fresh";
  const mode_t mask = umask(027);
  EXPECT_EQ(saved(fresh), "");
  umask(mask);
  EXPECT_EQ(mode_of(fresh), static_cast<mode_t>(S_IFREG | 0640));
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
  const std::string path = folder_ / "m.rec";
  const std::string leftover = folder_.file(".m.rec.recore-save0", "half"), mine = folder_.file("m.rec.tmp0", "mine");
  const std::string busy = folder_.file(".m.rec.recore-save1", "of a save that is running");
  EXPECT_EQ(saved(path), "");
  EXPECT_FALSE(file_exists(leftover));
  EXPECT_TRUE(file_exists(mine));
  EXPECT_TRUE(file_exists(busy));  // its turn comes when it is the first
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
