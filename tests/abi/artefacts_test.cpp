// Files that an earlier library wrote must open for ever, with the answers that they had. tests/artefacts/README.md says how
// they come to be.
#include <cstring>
#include <fstream>
#include <iomanip>
#include <map>
#include <sstream>

#include "tests/conformance/capi.h"

namespace rec::test {
namespace {

constexpr int64_t kUsers = 4, kItems = 5;

// "ROW:BITS" of each answer; the bits of a score are exact where its decimal form is not.
std::string answers_of(const rec_model_t* model, int64_t user) {
  const TopK top = top_k(recommender(model, true).get(), {user}, kItems, REC_ID_ROW);
  std::ostringstream text;
  for (size_t i = 0; i < top.rows.size() && top.rows[i] != REC_NO_ROW; ++i) {
    uint32_t bits;
    std::memcpy(&bits, &top.scores[i], sizeof bits);
    text << (i == 0 ? "" : " ") << std::dec << top.rows[i] << ':' << std::hex << std::setw(8) << std::setfill('0') << bits;
  }
  return text.str();
}

// Lines of "FILE USER ANSWERS".
std::map<std::string, std::map<int64_t, std::string>> expected_answers(const std::string& folder) {
  std::map<std::string, std::map<int64_t, std::string>> expected;
  std::ifstream file(folder + "/answers.txt");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string name, answers;
    int64_t user = 0;
    words >> name >> user >> std::ws;
    std::getline(words, answers);
    expected[name][user] = answers;
  }
  return expected;
}

TEST(Artefacts, OfEveryModelOpenAndAnswerAsTheyDid) {
  const std::string folder = REC_TESTS_FOLDER "/artefacts/1.0";
  const auto expected = expected_answers(folder);
  EXPECT_EQ(expected.size(), 13u) << "one of every model";
  for (const auto& [name, answers] : expected) {
    SCOPED_TRACE(name);
    const auto model = load(folder + "/" + name);
    ASSERT_EQ(answers.size(), kUsers);
    for (const auto& [user, wanted] : answers) EXPECT_EQ(answers_of(model.get(), user), wanted) << "user row " << user;
  }
}

}  // namespace
}  // namespace rec::test
