#include "cli/experiment/experiment.h"

#include <yaml-cpp/yaml.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "cli/output_file.h"

namespace rec::cli {

namespace {

Failure config_error(const std::string& path, const YAML::Mark& mark, const std::string& what,
                     const std::string& argument = "config") {
  const int64_t line = mark.is_null() ? -1 : mark.line + 1;
  return {REC_INVALID_ARGUMENT, path + (line > 0 ? ":" + std::to_string(line) : "") + ": " + what, argument, path,
          line};
}

// Text with each ${NAME} replaced by that variable of the environment.
std::string expanded(const std::string& path, const YAML::Node& node) {
  std::string text = node.Scalar();
  for (size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
    if (at > 0 && text[at - 1] == '$') {
      text.erase(at - 1, 1);
      at += 1;
      continue;
    }
    const size_t end = text.find('}', at);
    if (end == std::string::npos) throw config_error(path, node.Mark(), "'" + plain(text) + "' has a ${ without its }");
    const std::string name = text.substr(at + 2, end - at - 2);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr)
      throw config_error(path, node.Mark(), "there is no variable '" + plain(name) + "' in the environment");
    text.replace(at, end + 1 - at, value);
    at += std::string_view(value).size();
  }
  return text;
}

// A value of a parameter as the library reads it from text: 0.1, true, [64, 32].
std::string value_of(const std::string& path, const YAML::Node& node) {
  if (node.IsScalar()) return expanded(path, node);
  if (!node.IsSequence()) throw config_error(path, node.Mark(), "must be a value or a list of values");
  std::string list;
  for (const YAML::Node& element : node) {  // a list of lists is no parameter, and aliases could make it endless
    if (!element.IsScalar()) throw config_error(path, element.Mark(), "must be a list of single values");
    list += (list.empty() ? "" : ", ") + expanded(path, element);
  }
  return "[" + list + "]";
}

// Which keys there are, by section; "" has those of the top.
struct KeyCollector {
  std::map<std::string, std::set<std::string>> keys;
  std::string current;
  void section(const std::string& name) { keys[current = name], keys[""].insert(name); }
  template <class T>
  void field(const char* name, T&, const char*) {
    keys[current].insert(name);
  }
};

class Reader {
 public:
  Reader(std::string path, const YAML::Node& root) : path_(std::move(path)), root_(root), scope_(root) {}

  void section(const std::string& name) {
    where_ = name + ".";
    scope_.reset(root_[name]);
    if (scope_ && !scope_.IsNull() && !scope_.IsMap())
      throw config_error(path_, scope_.Mark(), name + ": must be a section of keys and values");
  }
  template <class T>
  void field(const char* name, T& value, const char*) {
    if (!scope_ || !scope_.IsMap()) return;
    const YAML::Node node = scope_[name];
    if (node && !node.IsNull()) read(where_ + name, node, value);
  }

 private:
  std::string text(const std::string& name, const YAML::Node& node) const {
    if (!node.IsScalar()) throw config_error(path_, node.Mark(), name + ": must be a single value", name);
    std::string value = expanded(path_, node);
    if (value.find('\0') != std::string::npos) throw config_error(path_, node.Mark(), name + ": has a NUL in it", name);
    return value;
  }
  void read(const std::string& name, const YAML::Node& node, std::string& value) const {
    if (!node.IsSequence() || !name.ends_with("metrics")) {  // a list where names stand by comma
      value = text(name, node);
      return;
    }
    value.clear();
    for (const YAML::Node& element : node) value += (value.empty() ? "" : ",") + text(name, element);
  }
  void read(const std::string& name, const YAML::Node& node, std::optional<std::string>& value) const {
    value = text(name, node);
  }
  void read(const std::string& name, const YAML::Node& node, int64_t& value) const {
    const std::string given = text(name, node);
    const auto number = to_int64(given);
    if (!number)
      throw config_error(path_, node.Mark(), name + ": must be a whole number, got '" + plain(given) + "'", name);
    value = *number;
  }
  void read(const std::string& name, const YAML::Node& node, uint64_t& value) const {
    int64_t number = 0;
    read(name, node, number);
    if (number < 0) throw config_error(path_, node.Mark(), name + ": must be at least 0", name);
    value = static_cast<uint64_t>(number);
  }
  void read(const std::string& name, const YAML::Node& node, double& value) const {
    const std::string given = text(name, node);
    char* end = nullptr;
    value = std::strtod(given.c_str(), &end);
    if (given.empty() || *end != '\0')
      throw config_error(path_, node.Mark(), name + ": must be a number, got '" + plain(given) + "'", name);
  }
  void read(const std::string& name, const YAML::Node& node, std::optional<double>& value) const {
    read(name, node, value.emplace());
  }
  void read(const std::string& name, const YAML::Node& node, bool& value) const {
    const std::string given = text(name, node);
    if (given != "true" && given != "false")
      throw config_error(path_, node.Mark(), name + ": must be true or false, got '" + plain(given) + "'", name);
    value = given == "true";
  }
  void read(const std::string& name, const YAML::Node& node, std::vector<std::string>& value) const {
    if (!node.IsSequence()) {
      value = {text(name, node)};
      return;
    }
    for (const YAML::Node& element : node) value.push_back(text(name, element));
  }
  void read(const std::string& name, const YAML::Node& node, Json& value) const {
    if (!node.IsMap()) throw config_error(path_, node.Mark(), name + ": must be names and values", name);
    for (const auto& pair : node) {
      if (!pair.first.IsScalar() || pair.first.Scalar().empty())
        throw config_error(path_, pair.first.Mark(), name + ": has a name that is no word", name);
      const std::string& key = pair.first.Scalar();
      if (value.contains(key))
        throw config_error(path_, pair.first.Mark(), name + "." + plain(key) + ": is there twice", key);
      if (pair.second.IsNull())
        throw config_error(path_, pair.first.Mark(), name + "." + plain(key) + ": has no value", key);
      value[key] = value_of(path_, pair.second);
    }
  }

  std::string path_, where_;
  const YAML::Node& root_;
  YAML::Node scope_;
};

void check_keys(const std::string& path, const YAML::Node& node, const std::string& section,
                const std::map<std::string, std::set<std::string>>& known) {
  std::set<std::string> seen;
  for (const auto& pair : node) {
    const std::string key = pair.first.IsScalar() ? pair.first.Scalar() : "";
    const std::string name = section.empty() ? key : section + "." + key;
    if (!seen.insert(key).second) throw config_error(path, pair.first.Mark(), plain(name) + ": is there twice", name);
    if (known.at(section).contains(key)) continue;
    const std::set<std::string>& keys = known.at(section);
    std::string better;
    if (section.empty())  // a key of a section that stands at the top
      for (const auto& [other, its] : known)
        if (!other.empty() && its.contains(key)) better = ", did you mean '" + other + "." + key + "'?";
    throw config_error(path, pair.first.Mark(),
                       plain(name) + ": there is no such key" +
                           (better.empty() ? suggestion(key, {keys.begin(), keys.end()}) : better),
                       name);
  }
}

// "a.b=c": the value replaces what the file says.
void apply(YAML::Node& root, const std::string& setting) {
  const size_t equal = setting.find('='), dot = setting.substr(0, equal).find('.');
  if (equal == 0 || equal == std::string::npos) throw usage_error("set", "must be KEY=VALUE, got '" + setting + "'");
  const YAML::Node value = YAML::Load(setting.substr(equal + 1));
  if (dot == std::string::npos)
    root[setting.substr(0, equal)] = value;
  else
    root[setting.substr(0, dot)][setting.substr(dot + 1, equal - dot - 1)] = value;
}

// What differs from the defaults, as YAML.
class Writer {
 public:
  explicit Writer(YAML::Emitter& out) : out_(out) {}
  void section(const std::string& name) { close(), section_ = name; }
  template <class T>
  void field(const char* name, T& value, const char*) {
    const T& usual = *static_cast<const T*>(usual_.at(next_++));
    if (value == usual) return;
    if (!section_.empty() && !open_) out_ << YAML::Key << section_ << YAML::Value << YAML::BeginMap, open_ = true;
    out_ << YAML::Key << name << YAML::Value;
    write(value);
  }
  void close() {
    if (open_) out_ << YAML::EndMap;
    open_ = false;
  }

  // Where the defaults are, in the order of fields.
  struct Defaults {
    std::vector<const void*>& at;
    void section(const std::string&) {}
    template <class T>
    void field(const char*, T& value, const char*) {
      at.push_back(&value);
    }
  };
  std::vector<const void*> usual_;

 private:
  void write(std::string text) {
    for (size_t at = 0; (at = text.find("${", at)) != std::string::npos; at += 3) text.insert(at, "$");
    out_ << YAML::DoubleQuoted << text << YAML::Auto;
  }
  void write(uint64_t number) { out_ << number; }
  void write(const std::optional<std::string>& text) { write(*text); }
  void write(int64_t number) { out_ << number; }
  void write(double number) { out_ << (std::isinf(number) ? "inf" : Json(number).dump()); }
  void write(const std::optional<double>& number) { write(*number); }
  void write(bool yes) { out_ << yes; }
  void write(const std::vector<std::string>& list) {
    out_ << YAML::BeginSeq;
    for (const std::string& text : list) write(text);
    out_ << YAML::EndSeq;
  }
  void write(const Json& values) {
    out_ << YAML::BeginMap;
    for (const auto& [name, value] : values.items())
      out_ << YAML::Key << name << YAML::Value << (value.is_string() ? value.get<std::string>() : value.dump());
    out_ << YAML::EndMap;
  }

  YAML::Emitter& out_;
  std::string section_;
  size_t next_ = 0;
  bool open_ = false;
};

}  // namespace

Experiment read_experiment(const std::string& path, const std::vector<std::string>& settings) {
  std::error_code none;
  if (!std::filesystem::exists(path, none))
    throw Failure{REC_NOT_FOUND, "config: there is no file " + plain(path), "config", path, -1};
  if (std::filesystem::is_directory(path, none)) throw usage_error("config", plain(path) + " is a folder");
  YAML::Node root;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAllFromFile(path);
    if (documents.size() > 1) throw config_error(path, documents[1].Mark(), "a second document begins; one is wanted");
    if (!documents.empty()) root = documents[0];
    if (root.IsNull()) root = YAML::Node(YAML::NodeType::Map);
    if (!root.IsMap()) throw config_error(path, root.Mark(), "must be keys and values");
    for (const std::string& setting : settings) {
      try {
        apply(root, setting);
      } catch (const YAML::Exception& error) {
        throw usage_error("set", "'" + plain(setting) + "' sets nothing: " + error.msg);
      }
    }
  } catch (const YAML::Exception& error) {
    throw config_error(path, error.mark, "is no YAML: " + error.msg);
  }
  Experiment experiment;
  KeyCollector known;
  visit(experiment, known);
  check_keys(path, root, "", known.keys);
  for (const auto& [section, keys] : known.keys)
    if (!section.empty() && root[section].IsMap()) check_keys(path, root[section], section, known.keys);
  Reader reader(path, root);
  visit(experiment, reader);
  if (experiment.model.empty()) throw config_error(path, root.Mark(), "model: is not given", "model");
  if (experiment.data.path.empty() && experiment.train)
    throw config_error(path, root.Mark(), "data.path: is not given", "data.path");
  if (experiment.out.empty()) throw config_error(path, root.Mark(), "output.model: is not given", "output.model");
  return experiment;
}

std::string experiment_text(const Experiment& experiment) {
  YAML::Emitter out;
  Writer writer(out);
  Experiment usual, copy = experiment;
  Writer::Defaults defaults{writer.usual_};
  visit(usual, defaults);
  out << YAML::BeginMap;
  visit(copy, writer);
  writer.close();
  out << YAML::EndMap;
  return std::string(out.c_str()) + "\n";
}

void write_experiment(const std::string& path, const Experiment& experiment) {
  write_file("dump-config", path, experiment_text(experiment));
}

}  // namespace rec::cli
