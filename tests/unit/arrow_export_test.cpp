#include "core/data/arrow_export.h"

#include <gtest/gtest.h>

#include "core/data/arrow.h"
#include "core/data/arrow_abi.h"
#include "core/data/load.h"
#include "tests/unit/data_checks.h"
#include "tests/unit/temp_folder.h"

namespace rec {
namespace {

std::shared_ptr<const Dataset> read(const std::string& text) {
  const TempFolder folder;
  return std::make_shared<const Dataset>(load_dataset(folder.file("a.csv", text), {}));
}

TEST(ArrowExport, GivesTheRowsThatWereRead) {
  for (const std::string& text :
       {std::string("user,item,time,rating\n7,x,100,4\n8,y,50,2.5\n7,y,101,1\n"),
        std::string("user,item\nann,10\nb\xc3\xb6,-20\n"), std::string("user,item\nc\xe9,1\nd,2\n"),
        std::string("user,item,label,time\n1,10,1,5\n1,11,0,5\n2,10,1,6\n")}) {
    const auto data = read(text);
    ArrowArrayStream stream{};
    export_arrow(data, stream);
    DatasetOptions options;
    const Dataset again = dataset_from_arrow(&stream, options);
    EXPECT_EQ(stream.release, nullptr);
    EXPECT_EQ(rows_of(again), rows_of(*data)) << text;
    EXPECT_EQ(std::vector<float>(again.label.begin(), again.label.end()),
              std::vector<float>(data->label.begin(), data->label.end()));
  }
}

TEST(ArrowExport, GivesBatchesOfManyRowsAndThePartOfEach) {
  constexpr int64_t kN = 150'000;
  std::vector<int64_t> users(kN), items(kN);
  std::vector<int32_t> parts(kN);
  for (int64_t i = 0; i < kN; ++i) users[i] = i % 977, items[i] = i % 1013, parts[i] = static_cast<int32_t>(i % 3);
  auto data = std::make_shared<const Dataset>(dataset_of(users, items, parts, [](rec_columns_t&) {}));
  ArrowArrayStream stream{};
  export_arrow(data, stream);
  const std::weak_ptr<const Dataset> alive = data;
  data.reset();
  EXPECT_FALSE(alive.expired());

  ArrowSchema schema{};
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  ASSERT_EQ(schema.n_children, 3);
  EXPECT_STREQ(schema.children[0]->name, "user_id");
  EXPECT_STREQ(schema.children[0]->format, "l");
  EXPECT_STREQ(schema.children[2]->name, "part");
  int64_t row = 0, n_batches = 0;
  while (true) {
    ArrowArray batch{};
    ASSERT_EQ(stream.get_next(&stream, &batch), 0);
    if (batch.release == nullptr) break;
    ++n_batches;
    // A consumer may take one column and release the rest.
    ArrowArray item = *batch.children[1];
    batch.children[1]->release = nullptr;
    const auto* offsets = static_cast<const int64_t*>(batch.children[2]->buffers[1]);
    const auto* text = static_cast<const char*>(batch.children[2]->buffers[2]);
    for (int64_t i = 0; i < batch.length; ++i) {
      static const std::string kNames[] = {"train", "valid", "test"};
      ASSERT_EQ(std::string(text + offsets[i], text + offsets[i + 1]), kNames[parts[row + i]]);
    }
    batch.release(&batch);
    for (int64_t i = 0; i < item.length; ++i)
      ASSERT_EQ(static_cast<const int64_t*>(item.buffers[1])[i], items[row + i]);
    row += item.length;
    item.release(&item);
  }
  EXPECT_EQ(row, kN);
  EXPECT_EQ(n_batches, 3);
  schema.release(&schema);
  stream.release(&stream);
  EXPECT_TRUE(alive.expired());
}

}  // namespace
}  // namespace rec
