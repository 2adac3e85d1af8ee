// prepare: MovieLens 100K as a folder of the format two_tower, as the original prepares it.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>

#include "cli/new_folder.h"
#include "cli/output_file.h"
#include "cli/two_tower/two_tower.h"
#include "cli/vectors.h"

namespace rec::cli::two_tower {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kLeastRating = 3, kGenres = 19;
constexpr size_t kMostItems = 20'000;  // whose matrices are 1.6 GB each

// Lines of a table without a header; a Failure with file and line for one that is not sound.
class Lines {
 public:
  Lines(const std::string& folder, const char* name, char separator, size_t n_columns, const char* expected)
      : path_(folder + '/' + name), separator_(separator), n_columns_(n_columns), expected_(expected), file_(path_) {
    if (!file_) throw Failure{REC_NOT_FOUND, "FOLDER: there is no file " + plain(path_), "data", path_, -1};
  }
  bool next() {
    std::string text;
    if (!std::getline(file_, text)) return false;
    ++line_;
    if (text.ends_with('\r')) text.pop_back();
    cells_ = split(text, separator_);
    if (cells_.size() < n_columns_) throw unsound();
    return true;
  }
  const std::string& text(size_t column) const { return cells_[column]; }
  int64_t number(size_t column, int64_t least, int64_t most) const {
    const auto value = to_int64(cells_[column]);
    if (!value || *value < least || *value > most) throw unsound();
    return *value;
  }

 private:
  Failure unsound() const {
    return {REC_INVALID_DATA, plain(path_) + ':' + std::to_string(line_) + ": expected " + expected_, "", path_, line_};
  }

  std::string path_;
  char separator_;
  size_t n_columns_;
  const char* expected_;
  std::ifstream file_;
  std::vector<std::string> cells_;
  int64_t line_ = 0;
};

constexpr int64_t kMost = INT64_MAX;

struct Person {
  int64_t age, gender;
  std::string occupation;
};
struct Film {
  double year = 0;  // 0: unknown
  std::vector<float> genres;
};

struct MovieLens {
  std::vector<std::pair<int64_t, int64_t>> pairs;  // in the order of the file
  std::map<int64_t, int64_t> users, items;         // those of the pairs, and their rows
  std::map<int64_t, Person> people;
  std::map<std::string, int64_t> occupations;
  std::map<int64_t, Film> films;  // of rich features
};

void number_rows(std::map<int64_t, int64_t>& ids) {
  int64_t row = 0;
  for (auto& [id, place] : ids) place = row++;
}

MovieLens read(const std::string& folder, bool rich) {
  MovieLens data;
  Lines ratings(folder, "u.data", '\t', 4, "USER, ITEM, RATING and TIME with tabs between");
  while (ratings.next()) {
    const int64_t user = ratings.number(0, 0, kMost), item = ratings.number(1, 0, kMost);
    if (ratings.number(2, 0, 5) < kLeastRating) continue;
    data.pairs.emplace_back(user, item);
    data.users[user], data.items[item];
  }
  if (data.pairs.empty())
    throw Failure{REC_INVALID_DATA, plain(folder) + "/u.data: expected ratings of at least 3, and there are none", "",
                  folder + "/u.data", -1};
  if (std::max(data.users.size(), data.items.size()) > kMostItems)
    throw Failure{REC_LIMIT,
                  plain(folder) + "/u.data: has " + std::to_string(data.users.size()) + " users and " +
                      std::to_string(data.items.size()) + " items; matrices are made of up to " +
                      std::to_string(kMostItems) + " of each",
                  "", folder + "/u.data", -1};
  number_rows(data.users), number_rows(data.items);
  Lines people(folder, "u.user", '|', 4, "USER|AGE|M or F|OCCUPATION|...");
  while (people.next()) {
    data.people[people.number(0, 0, kMost)] = {people.number(1, 0, 150), people.text(2) == "M" ? 0 : 1, people.text(3)};
    data.occupations[people.text(3)];
  }
  int64_t row = 0;
  for (auto& [name, place] : data.occupations) place = row++;
  for (const auto& [user, place] : data.users)
    if (!data.people.contains(user))
      throw Failure{REC_INVALID_DATA, plain(folder) + "/u.user: has no user " + std::to_string(user) + " of u.data", "",
                    folder + "/u.user", -1};
  if (!rich) return data;
  Lines films(folder, "u.item", '|', 5 + kGenres, "ITEM|TITLE|DD-MON-YEAR|...|...| and 19 genres");
  while (films.next()) {
    Film& film = data.films[films.number(0, 0, kMost)];
    const std::string& date = films.text(2);
    if (const auto year = to_int64(std::string_view(date).substr(date.size() - std::min<size_t>(4, date.size()))))
      film.year = static_cast<double>(*year);
    for (size_t g = 0; g < kGenres; ++g) film.genres.push_back(static_cast<float>(films.number(5 + g, 0, 1)));
  }
  for (const auto& [item, place] : data.items)
    if (!data.films.contains(item))
      throw Failure{REC_INVALID_DATA, plain(folder) + "/u.item: has no item " + std::to_string(item) + " of u.data", "",
                    folder + "/u.item", -1};
  return data;
}

template <class T>
struct Matrix {
  Matrix(size_t n_rows, size_t n_columns) : rows(n_rows), columns(n_columns), values(n_rows * n_columns) {}
  T& at(size_t row, size_t column) { return values[row * columns + column]; }
  size_t rows, columns;
  std::vector<T> values;
};

Matrix<float> identity(size_t n) {
  Matrix<float> x(n, n);
  for (size_t i = 0; i < n; ++i) x.at(i, i) = 1;
  return x;
}

// Age in hundreds of years, gender, one of the occupations.
Matrix<float> rich_users(const MovieLens& data) {
  Matrix<float> x(data.users.size(), 2 + data.occupations.size());
  for (const auto& [user, row] : data.users) {
    const Person& person = data.people.at(user);
    x.at(row, 0) = static_cast<float>(person.age) / 100;
    x.at(row, 1) = static_cast<float>(person.gender);
    x.at(row, 2 + data.occupations.at(person.occupation)) = 1;
  }
  return x;
}

// The genres, and the year from the earliest, 0, to the latest, 1.
Matrix<float> rich_items(const MovieLens& data) {
  double first = 0, last = 0;
  for (const auto& [item, row] : data.items)
    if (const double year = data.films.at(item).year; year > 0) {
      first = first > 0 ? std::min(first, year) : year;
      last = std::max(last, year);
    }
  Matrix<float> x(data.items.size(), kGenres + 1);
  for (const auto& [item, row] : data.items) {
    const Film& film = data.films.at(item);
    for (size_t g = 0; g < kGenres; ++g) x.at(row, g) = film.genres[g];
    if (film.year > 0 && last > first) x.at(row, kGenres) = static_cast<float>((film.year - first) / (last - first));
  }
  return x;
}

// Gender (M, F), age below 18, 25, 35, 45, 55, 65 or above, occupation in the order of the names.
Matrix<int64_t> side_categories(const MovieLens& data) {
  Matrix<int64_t> x(data.users.size(), 3);
  for (const auto& [user, row] : data.users) {
    const Person& person = data.people.at(user);
    x.at(row, 0) = person.gender;
    for (const int64_t age : {18, 25, 35, 45, 55, 65}) x.at(row, 1) += person.age >= age;
    x.at(row, 2) = data.occupations.at(person.occupation);
  }
  return x;
}

// D^-1/2 (A + I) D^-1/2, where A has the items that a user has in common.
Matrix<float> adjacency(const MovieLens& data) {
  Matrix<float> x = identity(data.items.size());
  std::vector<std::vector<int64_t>> of_user(data.users.size());
  for (const auto& [user, item] : data.pairs) of_user[data.users.at(user)].push_back(data.items.at(item));
  for (const std::vector<int64_t>& items : of_user)
    for (const int64_t a : items)
      for (const int64_t b : items) x.at(a, b) = 1;
  std::vector<double> degree(x.rows);
  for (size_t a = 0; a < x.rows; ++a)
    for (size_t b = 0; b < x.rows; ++b) degree[a] += x.at(a, b);
  for (size_t a = 0; a < x.rows; ++a)
    for (size_t b = 0; b < x.rows; ++b) x.at(a, b) = static_cast<float>(x.at(a, b) / std::sqrt(degree[a] * degree[b]));
  return x;
}

template <class T>
void write_matrix(const fs::path& path, const Matrix<T>& matrix) {
  OutputFile file("out", path);
  file.stream() << npy_header(sizeof(T) == 4 ? "<f4" : "<i8", static_cast<int64_t>(matrix.rows),
                              static_cast<int64_t>(matrix.columns));
  file.stream().write(reinterpret_cast<const char*>(matrix.values.data()),
                      static_cast<int64_t>(matrix.values.size() * sizeof(T)));
  file.close();
}

void write_ids(const fs::path& path, const std::map<int64_t, int64_t>& ids) {
  std::string text = "id,row_idx\n";
  for (const auto& [id, row] : ids) text += std::to_string(id) + ',' + std::to_string(row) + '\n';
  write_file("out", path, text);
}

void write(const MovieLens& data, bool rich, const fs::path& folder) {
  write_matrix(folder / "q_feats.npy", rich ? rich_users(data) : identity(data.users.size()));
  write_matrix(folder / "i_feats.npy", rich ? rich_items(data) : identity(data.items.size()));
  write_matrix(folder / "q_side_cat.npy", side_categories(data));
  write_matrix(folder / "item_adj.npy", adjacency(data));
  write_ids(folder / "q_idmap.csv", data.users);
  write_ids(folder / "i_idmap.csv", data.items);
  std::string pairs = "query_id,item_id\n";
  for (const auto& [user, item] : data.pairs) pairs += std::to_string(user) + ',' + std::to_string(item) + '\n';
  write_file("out", folder / "interactions.csv", pairs);
}

}  // namespace

int prepare(const Call& call) {
  const std::string out = call.text("--out");
  check_new_folder("--out", out);
  const bool rich = call.text("--features") == "rich";
  const MovieLens data = read(call.positional(), rich);
  fill_folder(out, [&](const fs::path& folder) { write(data, rich, folder); });
  line("wrote " + out + ": " + std::to_string(data.pairs.size()) + " pairs of " + std::to_string(data.users.size()) +
       " users and " + std::to_string(data.items.size()) + " items");
  return 0;
}

}  // namespace rec::cli::two_tower
