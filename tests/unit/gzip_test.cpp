// Gzipped data files.
#include <gtest/gtest.h>
#include <zlib.h>

#include "core/base/files.h"
#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

std::string gzip_member(const std::string& text) {
  const TempFolder folder;
  const gzFile file = gzopen((folder / "m").c_str(), "wb");
  gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  gzclose(file);
  const Buffer<char> bytes = read_file(folder / "m");
  return std::string(bytes.begin(), bytes.end());
}

TEST(Gzip, IsReadAndTitlesAreFoundBesideIt) {
  const TempFolder folder;
  folder.file("o.inter.gz", gzip_member("user_id:token\titem_id:token\n1\t7\n"));
  folder.file("o.item.gz", gzip_member("item_id:token\ttitle:token_seq\n7\tSeven\n"));
  for (const std::string& path : {folder.path(), folder.path() + "/", folder / "o.inter.gz"}) {
    const Dataset data = load_dataset(path);
    EXPECT_EQ(rows_of(data), Rows{"1 7"});
    EXPECT_EQ(title_of(data, 0), "Seven");
  }
}

TEST(Gzip, ReadsEveryMember) {
  const TempFolder folder;
  const std::string packed = gzip_member("user,item\n1,2\n") + gzip_member("") + gzip_member("3,4\n");
  EXPECT_EQ(rows_of(load_dataset(folder.file("a.csv.gz", packed))), (Rows{"1 2", "3 4"}));
}

TEST(Gzip, RefusesAFileOfWhichAnyMemberIsDamagedOrCut) {
  const TempFolder folder;
  const std::string first = gzip_member("user,item\n1,2\n"), whole = first + gzip_member("3,4\n");
  const auto refused = [&](const std::string& packed) {
    const Error error = error_of([&] { load_dataset(folder.file("a.csv.gz", packed)); });
    EXPECT_EQ(error.status, REC_CORRUPT_DATA) << error.message;
    EXPECT_EQ(error.file, folder / "a.csv.gz");
  };
  for (size_t n = first.size() + 1; n < whole.size(); ++n) {
    SCOPED_TRACE(cat("cut at ", n));
    refused(whole.substr(0, n));
  }
  for (const size_t at : {size_t{0}, size_t{1}}) {
    SCOPED_TRACE(cat("header byte ", at));
    std::string flipped = whole;
    flipped[first.size() + at] ^= 1;
    refused(flipped);
  }
  refused(whole + std::string(512, '\0'));
}

}  // namespace
}  // namespace rec
