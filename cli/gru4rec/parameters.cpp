#include "cli/gru4rec/parameters.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

namespace rec::cli::gru4rec {

namespace {

struct Parameter {
  const char* name;
  char type;  // i, f, s, b, l (a list of int) or e (an int, or layersize)
  const char* ours;
  const char* usual;
};
constexpr Parameter kParameters[] = {
    {"layers", 'l', "layers", "100"},
    {"loss", 's', "loss", "cross-entropy"},
    {"batch_size", 'i', "batch_size", "64"},
    {"dropout_p_embed", 'f', "dropout_embed", "0.0"},
    {"dropout_p_hidden", 'f', "dropout_hidden", "0.0"},
    {"learning_rate", 'f', "lr", "0.05"},
    {"momentum", 'f', "momentum", "0.0"},
    {"sample_alpha", 'f', "sample_alpha", "0.5"},
    {"n_sample", 'i', "n_sample", "2048"},
    {"embedding", 'e', "emb_size", "0"},
    {"constrained_embedding", 'b', "input", "True"},
    {"n_epochs", 'i', "epochs", "10"},
    {"bpreg", 'f', "bpreg", "1.0"},
    {"elu_param", 'f', "elu_param", "0.5"},
    {"logq", 'f', "logq", "0.0"},
};

Failure refused(const Given& given, const std::string& why) {
  const bool of_file = given.where != "-ps";
  return {REC_INVALID_ARGUMENT,
          (of_file ? given.where + ": " : "--parameter_string: ") + plain(given.name) + ": " + why,
          given.name,
          {},
          -1};
}

const Parameter& parameter_named(const Given& given) {
  std::vector<std::string> names;
  for (const Parameter& parameter : kParameters) {
    if (given.name == parameter.name) return parameter;
    names.emplace_back(parameter.name);
  }
  throw refused(given, "there is no such parameter" + suggestion(given.name, names));
}

// A value of its type, as Python prints it.
std::string checked(const Parameter& parameter, const Given& given) {
  const auto whole = [&](const std::string& text, const char* what) {
    const auto number = argparse::to_int(text);
    if (!number) throw refused(given, std::string("must be ") + what + ", got '" + plain(given.shown) + "'");
    return std::to_string(*number);
  };
  switch (parameter.type) {
    case 'i': return whole(given.text, "a whole number");
    case 'e': return given.text == "layersize" ? given.text : whole(given.text, "a whole number or layersize");
    case 'f': {
      const auto number = argparse::to_float(given.text);
      if (!number || !std::isfinite(*number))
        throw refused(given, "must be a number, got '" + plain(given.shown) + "'");
      return argparse::repr(*number);
    }
    case 'b':
      if (given.text == "True" || given.text == "1") return "True";
      if (given.text == "False" || given.text == "0") return "False";
      throw refused(given, "must be True or False, got '" + plain(given.shown) + "'");
    case 'l': {
      std::string list;
      for (const std::string& part : split(given.text, '/'))
        list += (list.empty() ? "" : ", ") + whole(part, "whole numbers with / between");
      if (list.empty()) throw refused(given, "must have a number for each layer");
      return "[" + list + "]";
    }
    default: return given.text;
  }
}

const char* class_of(const Parameter& parameter, const std::string& value) {
  switch (parameter.type) {
    case 'f': return "float";
    case 'b': return "bool";
    case 'l': return "list";
    case 's': return "str";
    default: return value == "layersize" ? "str" : "int";
  }
}

// The text of a parameter file in pieces; what no plain value has is an error with its line.
class Reader {
 public:
  Reader(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {}

  // After blanks, line ends and comments; '\0' at the end.
  char peek() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#')
        at_ = std::min(text_.find('\n', at_), text_.size());
      else if (text_[at_] == '\n')
        ++line_, ++at_;
      else if (std::string_view(" \t\r").find(text_[at_]) != std::string_view::npos)
        ++at_;
      else
        return text_[at_];
    }
    return '\0';
  }
  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }
  void want(char wanted) {
    if (!take(wanted)) throw unexpected();
  }
  // Letters, digits, . and _, and a sign before.
  std::string word() {
    peek();
    const size_t begin = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  std::string_view("._").find(text_[at_]) != std::string_view::npos ||
                                  ((text_[at_] == '-' || text_[at_] == '+') &&
                                   (at_ == begin || text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E'))))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }
  std::string text() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') throw unexpected();
    const size_t begin = ++at_;
    at_ = text_.find_first_of(std::string("\\\n") + quote, begin);
    if (at_ == std::string::npos || text_[at_] != quote) {
      at_ = begin - 1;
      throw unexpected();
    }
    return text_.substr(begin, at_++ - begin);
  }
  std::string rest_of_line() {
    const size_t begin = at_;
    at_ = std::min(text_.find('\n', at_), text_.size());
    return text_.substr(begin, at_ - begin);
  }

  bool at_end() const { return at_ >= text_.size(); }
  std::string where() const { return path_ + ":" + std::to_string(line_); }
  Failure unexpected() {
    peek();
    const std::string found = text_.substr(at_, std::min<size_t>(text_.find('\n', at_), at_ + 30) - at_);
    return {
        REC_INVALID_ARGUMENT,
        where() + ": " + (at_ >= text_.size() ? "the file ends here" : "'" + plain(found) + "' is no plain value") +
            "; the file is never run, so it may only have gru4rec_params = OrderedDict([('name', value), ...]), each "
            "value a number, a text, True, False or a list of numbers",
        "parameter_file", path_, line_};
  }

 private:
  std::string path_, text_;
  size_t at_ = 0;
  int64_t line_ = 1;
};

// A number, True or False.
std::string read_scalar(Reader& reader) {
  Reader before = reader;
  const std::string word = reader.word();
  if (word == "True" || word == "False" || (argparse::to_float(word) && word.find_first_of("0123456789") != word.npos))
    return word;
  throw before.unexpected();
}

void read_value(Reader& reader, Given& given) {
  const char first = reader.peek();
  given.where = reader.where();
  if (first == '\'' || first == '"') {
    given.shown = given.text = reader.text();
    return;
  }
  if (first != '[' && first != '(') {
    given.shown = given.text = read_scalar(reader);
    return;
  }
  reader.take(first);
  const char last = first == '[' ? ']' : ')';
  while (!reader.take(last)) {
    const std::string element = read_scalar(reader);
    given.text += (given.text.empty() ? "" : "/") + element;
    given.shown += (given.shown.empty() ? "" : ", ") + element;
    if (!reader.take(',') && reader.peek() != last) throw reader.unexpected();
  }
  given.shown = "[" + given.shown + "]";
}

// After the '=': OrderedDict([('name', value), ...]) or {'name': value, ...}.
std::vector<Given> read_dict(Reader& reader) {
  std::vector<Given> all;
  const bool is_braced = reader.take('{');
  if (!is_braced) {
    Reader before = reader;
    const std::string word = reader.word();
    if (word != "OrderedDict" && word != "collections.OrderedDict") throw before.unexpected();
    reader.want('(');
    reader.want('[');
  }
  const char last = is_braced ? '}' : ']';
  while (!reader.take(last)) {
    Given given;
    if (!is_braced) reader.want('(');
    given.name = reader.text();
    reader.want(is_braced ? ':' : ',');
    read_value(reader, given);
    if (!is_braced) {
      reader.take(',');
      reader.want(')');
    }
    all.push_back(given);
    if (!reader.take(',') && reader.peek() != last) throw reader.unexpected();
  }
  if (!is_braced) reader.want(')');
  return all;
}

}  // namespace

std::vector<Given> read_parameter_string(const std::string& text) {
  std::vector<Given> all;
  for (const std::string& part : split(text, ',')) {
    const size_t equal = part.find('=');
    if (equal == 0 || equal == std::string::npos || part.find('=', equal + 1) != std::string::npos)
      throw usage_error("--parameter_string", "must be NAME=VALUE by comma, got '" + plain(part) + "'");
    const std::string value = part.substr(equal + 1);
    all.push_back({part.substr(0, equal), value, value, "-ps"});
  }
  if (all.empty()) throw usage_error("--parameter_string", "must be NAME=VALUE by comma, got ''");
  return all;
}

std::vector<Given> read_parameter_file(const std::string& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Failure{REC_NOT_FOUND, "--parameter_file: there is no file " + plain(path), "parameter_file", path, -1};
  constexpr uintmax_t kLargest = 1 << 20;
  if (!std::filesystem::is_regular_file(path, none) || std::filesystem::file_size(path, none) > kLargest)
    throw Failure{REC_INVALID_ARGUMENT, "--parameter_file: " + plain(path) + " is no file of parameters",
                  "parameter_file", path, -1};
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file)
    throw Failure{REC_IO, "--parameter_file: " + plain(path) + " could not be read", "parameter_file", path, -1};
  Reader reader(plain(path), text.str());
  std::optional<std::vector<Given>> all;
  while (reader.peek() != '\0') {
    Reader before = reader;
    const std::string word = reader.word();
    if (word == "from" || word == "import") {
      std::string line = word + reader.rest_of_line();
      line.erase(std::find_if_not(line.rbegin(), line.rend(), [](unsigned char c) { return std::isspace(c); }).base(),
                 line.end());
      if (line != "from collections import OrderedDict" && line != "import collections") throw before.unexpected();
      continue;
    }
    if (word != "gru4rec_params" || !reader.take('=') || all) throw before.unexpected();
    all = read_dict(reader);
  }
  if (!all || !reader.at_end()) throw reader.unexpected();
  return *all;
}

Parameters translate(const std::vector<Given>& all) {
  std::map<std::string, std::string> values;
  std::map<std::string, Given> given_by;
  for (const Parameter& parameter : kParameters) {
    given_by[parameter.name] = {parameter.name, parameter.usual, parameter.usual, "-ps"};
    values[parameter.name] = checked(parameter, given_by[parameter.name]);
  }
  size_t names = 0, texts = 0;
  for (const Given& given : all) {
    names = std::max(names, width(given.name));
    texts = std::max(texts, width(given.shown));
  }
  Parameters read;
  const auto tell = [&](const Parameter& parameter, const std::string& value) {
    const std::string name = parameter.name;
    read.lines.push_back("SET   " + name + std::string(names + 3 - std::min(names + 3, name.size()), ' ') + "TO   " +
                         value + std::string(texts + 3 - std::min(texts + 3, value.size()), ' ') + "(type: <class '" +
                         class_of(parameter, value) + "'>)");
  };
  for (const Given& given : all) {
    const Parameter& parameter = parameter_named(given);
    values[given.name] = checked(parameter, given);
    given_by[given.name] = given;
    tell(parameter, values[given.name]);
  }
  const auto refuse = [&](const char* name, const std::string& why) { return refused(given_by.at(name), why); };

  std::string& embedding = values["embedding"];
  const std::string layers = values["layers"];
  if (embedding == "layersize") {
    embedding = layers.substr(1, layers.find_first_of(",]") - 1);
    tell(*std::ranges::find_if(kParameters, [](const Parameter& p) { return p.type == 'e'; }), embedding);
  }
  const int64_t emb_size = *to_int64(embedding);
  const bool constrained = values["constrained_embedding"] == "True", one_hot = !constrained && emb_size == 0;
  if (emb_size < 0) throw refuse("embedding", "must be at least 0, got " + embedding);
  if (constrained && emb_size > 0)
    throw refuse("embedding",
                 "must be 0 with constrained_embedding=True, which has no table of its own; got " + embedding);
  if (*argparse::to_float(values["learning_rate"]) <= 0)
    throw refuse("learning_rate", "must be above 0, got " + values["learning_rate"]);
  const std::string loss = values["loss"];
  if (loss != "cross-entropy" && loss != "bpr-max")
    throw refuse("loss", "must be cross-entropy or bpr-max, got '" + plain(loss) + "'");

  Json& p = read.ours;
  p["variant"] = "official";
  for (const Parameter& parameter : kParameters)
    if (std::string_view("ebs").find(parameter.type) == std::string_view::npos)
      p[parameter.ours] = values[parameter.name];
  p["loss"] = loss == "bpr-max" ? "bpr_max" : "softmax";
  p["input"] = constrained ? "constrained" : one_hot ? "onehot" : "separate";
  if (emb_size > 0) p["emb_size"] = embedding;
  read.batch_size = *to_int64(values["batch_size"]);
  return read;
}

Failure in_words_of_the_authors(Failure failure) {
  for (const Parameter& parameter : kParameters)
    if (failure.argument == parameter.ours && failure.message.starts_with(std::string(parameter.ours) + ":"))
      failure.message = parameter.name + failure.message.substr(failure.argument.size());
  return failure;
}

}  // namespace rec::cli::gru4rec
