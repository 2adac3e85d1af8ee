#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "core/base/files.h"
#include "core/base/staged_file.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/base/thread_pool.h"

namespace rec {
namespace {

// Known answers published with the generator (Random123, kat_vectors).
TEST(Text, ShowsNoByteThatSteersATerminal) {
  EXPECT_EQ(printable("a\x1b[2J"), "a\\x1b[2J");
  EXPECT_EQ(printable("a\xc2\x9b" "2J"), "a\\xc2\\x9b2J");           // U+009B, the same in one character
  EXPECT_EQ(printable("a\xe2\x80\xae" "b"), "a\\xe2\\x80\\xae" "b");  // U+202E, right to left
  EXPECT_EQ(printable("caf\xc3\xa9 \xc2\xa0"), "caf\xc3\xa9 \xc2\xa0");
}

TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (std::array<uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (std::array<uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (std::array<uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, NextBelowIsUniformWithinFiveSigma) {
  Rng rng(7, RngStream::kNegatives);
  std::array<int, 6> counts{};
  for (int i = 0; i < 60000; ++i) ++counts[rng.next_below(6)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 5 * 91.3);
}

TEST(Rng, StreamsAndRowsGiveDifferentNumbers) {
  EXPECT_NE(Rng(1, RngStream::kShuffle, 0, 0).next_u64(), Rng(1, RngStream::kNegatives, 0, 0).next_u64());
  EXPECT_NE(Rng(1, RngStream::kShuffle, 0, 0).next_u64(), Rng(1, RngStream::kShuffle, 0, 1).next_u64());
  EXPECT_NE(Rng(1, RngStream::kShuffle, 0, 0).next_u64(), Rng(1, RngStream::kShuffle, 1, 0).next_u64());
  EXPECT_EQ(Rng(1, RngStream::kShuffle, 3, 9).next_u64(), Rng(1, RngStream::kShuffle, 3, 9).next_u64());
}

TEST(ThreadPool, RunsEachRowOnceForAnyNumberOfThreads) {
  for (int threads : {1, 2, 7}) {
    SCOPED_TRACE(threads);
    ThreadPool pool(threads);
    for (int64_t n : {0, 1, 3, 1000}) {
      std::vector<int> seen(n);
      pool.parallel_for(n, 7, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++seen[i];
      });
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), n);
    }
  }
}

TEST(ThreadPool, RethrowsTheFirstFailureAndStaysUsable) {
  ThreadPool pool(3);
  EXPECT_THROW(pool.parallel_for(100, 1,
                                 [](int64_t begin, int64_t) {
                                   if (begin == 40) throw Error(REC_INTERNAL, "planted");
                                 }),
               Error);
  int64_t sum = 0;
  pool.parallel_for(1, 1, [&](int64_t, int64_t) { ++sum; });
  EXPECT_EQ(sum, 1);
}

TEST(Text, NearestNameFindsTypos) {
  const std::vector<std::string> names{"lightgcn", "bprmf", "popularity"};
  EXPECT_EQ(nearest_name("ligthgcn", names), "lightgcn");
  EXPECT_EQ(nearest_name("LightGCN", names), "lightgcn");
  EXPECT_EQ(nearest_name("pop", names), "popularity");
  EXPECT_EQ(nearest_name("zzzzzz", names), std::nullopt);
}

TEST(Text, ParsesOnlyCanonicalIntegers) {
  EXPECT_EQ(parse_int64("-9223372036854775808"), INT64_MIN);
  for (const char* text : {"", "-", "+5", "05", "-0", " 5", "5 ", "5.0", "9223372036854775808", "0x10", "abc"})
    EXPECT_EQ(parse_int64(text), std::nullopt) << text;
}

TEST(Text, FindsInvalidUtf8) {
  EXPECT_EQ(invalid_utf8("caf\xc3\xa9 \xf0\x9f\x98\x80"), std::nullopt);
  EXPECT_EQ(invalid_utf8("ab\xff"), 2);
  EXPECT_EQ(invalid_utf8("\xc0\x80"), 0);          // overlong
  EXPECT_EQ(invalid_utf8("x\xed\xa0\x80"), 1);     // surrogate
  EXPECT_EQ(invalid_utf8("\xf4\x90\x80\x80"), 0);  // above U+10FFFF
}

class FilesTest : public testing::Test {
 protected:
  FilesTest() {
    std::string name = (std::filesystem::temp_directory_path() / "rec_filesXXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path folder_;
};

TEST_F(FilesTest, AFailedWriteLeavesTheOldFileAndNothingElse) {
  const std::string path = folder_ / "model.rec";
  write_file_atomically(path, [](FileWriter& out) { out.write("old"); });
  EXPECT_THROW(write_file_atomically(path,
                                     [](FileWriter& out) {
                                       out.write("new");
                                       throw Error(REC_IO, "planted");
                                     }),
               Error);
  const Buffer<char> bytes = read_file(path);
  EXPECT_EQ(std::string_view(bytes.data(), 3), "old");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(FilesTest, ADiskThatIsFullIsAnIoErrorWithItsReason) {
  try {
    write_file_atomically("/dev/full/x", [](FileWriter&) {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.status, REC_OK);
  }
  EXPECT_THROW(read_file(folder_.string()), Error);
}

}  // namespace
}  // namespace rec
