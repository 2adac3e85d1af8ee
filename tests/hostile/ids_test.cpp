// Any bytes are a valid id: from columns through training, a file and a request back to the caller.
#include "tests/conformance/capi.h"
#include "tests/unit/temp_folder.h"

namespace rec::test {
namespace {

using std::string_literals::operator""s;

const std::vector<std::pair<const char*, std::string>>& named_ids() {
  static const std::vector<std::pair<const char*, std::string>> ids{
      {"Empty", ""},
      {"Nul", "\0"s},
      {"EmbeddedNul", "a\0b"s},
      {"TheSameUpToTheNul", "a\0c"s},
      {"NulAtTheEnd", "a\0"s},
      {"WithoutTheNul", "a"},
      {"InvalidUtf8", "\xff\xfe"},
      {"CutUtf8", "\xe2\x82"},
      {"Emoji", "user\xf0\x9f\x98\x80"},
      {"Composed", "\xc3\xa9"},
      {"Decomposed", "e\xcc\x81"},
      {"Decimal", "42"},
      {"NewLine", "\n"},
      {"64KiB", std::string(64 << 10, 'x')},
      {"64KiBAndOne", std::string((64 << 10) + 1, 'x')},
  };
  return ids;
}

// Byte strings as the API takes them.
struct Bytes {
  std::string bytes;
  std::vector<int64_t> offsets{0};
  void add(const std::string& id) {
    bytes += id;
    offsets.push_back(std::ssize(bytes));
  }
  rec_ids_t ids() const {
    return {sizeof(rec_ids_t), REC_ID_BYTES, nullptr, bytes.data(), std::ssize(bytes), offsets.data(),
            std::ssize(offsets) - 1};
  }
};

using IdsOfRows = rec_status_t (*)(const rec_model_t*, const int64_t*, int64_t, rec_ids_t*, rec_text_t**,
                                   rec_error_t**);
using RowsOfIds = rec_status_t (*)(const rec_model_t*, const rec_ids_t*, int64_t*, int64_t, rec_error_t**);

std::string id_of(IdsOfRows function, const rec_model_t* model, int64_t row) {
  rec_ids_t ids{};
  ids.struct_size = sizeof ids;
  const auto owner = make<rec_text_t>(
      [&](rec_text_t** out, rec_error_t** error) { return function(model, &row, 1, &ids, out, error); });
  EXPECT_EQ(ids.type, REC_ID_BYTES);
  return {ids.bytes + ids.offsets[0], ids.bytes + ids.offsets[1]};
}

int64_t row_of(RowsOfIds function, const rec_model_t* model, const std::string& id) {
  Bytes one;
  one.add(id);
  const rec_ids_t ids = one.ids();
  int64_t row = -2;
  call([&](rec_error_t** error) { return function(model, &ids, &row, 1, error); });
  return row;
}

TEST(HostileIds, RoundTripThroughAFileAndARequest) {
  rec_plugin_add_folder(REC_PLUGINS_FOLDER, nullptr);
  Bytes users, items;
  for (const auto& [user_name, user] : named_ids())
    for (const auto& [item_name, item] : named_ids())
      if (user != item) {  // a user has seen every item but the one with its own name
        users.add(user);
        items.add(item);
      }
  const rec_ids_t user_ids = users.ids(), item_ids = items.ids();
  rec_columns_t columns{};
  columns.struct_size = sizeof columns;
  columns.users = &user_ids;
  columns.items = &item_ids;
  const auto data = make<rec_dataset_t>(
      [&](rec_dataset_t** out, rec_error_t** error) { return rec_dataset_create_from_columns(&columns, nullptr, out, error); });
  const TempFolder folder;
  save(train(data.get(), "popularity", "{}").get(), folder / "hostile.rec");
  const auto model = load(folder / "hostile.rec");
  const auto unseen = recommender(model.get(), true);
  for (const auto& [name, id] : named_ids()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(id_of(rec_model_user_ids, model.get(), row_of(rec_model_user_rows, model.get(), id)), id);
    EXPECT_EQ(id_of(rec_model_item_ids, model.get(), row_of(rec_model_item_rows, model.get(), id)), id);
    Bytes one;
    one.add(id);
    const rec_ids_t asking = one.ids();
    rec_request_t request{};
    request.struct_size = sizeof request;
    request.users = &asking;
    request.k = 2;
    int64_t rows[2];
    rec_status_t status = -1;
    const rec_output_t output{sizeof output, 0, rows, 2, nullptr, 0, &status, 1};
    call([&](rec_error_t** error) { return rec_recommender_top_k(unseen.get(), &request, &output, error); });
    EXPECT_EQ(status, REC_OK);
    EXPECT_EQ(id_of(rec_model_item_ids, model.get(), rows[0]), id);
    EXPECT_EQ(rows[1], REC_NO_ROW);
  }
  for (const std::string& stranger : {"nobody"s, "a\0\0"s, "\xff"s}) {
    EXPECT_EQ(row_of(rec_model_user_rows, model.get(), stranger), REC_NO_ROW);
    EXPECT_EQ(row_of(rec_model_item_rows, model.get(), stranger), REC_NO_ROW);
  }
}

}  // namespace
}  // namespace rec::test
