// The parameters of a model, each declared and read in one line. Part of rec_plugin_cpp.h.
#pragma once

#include <cmath>
#include <deque>
#include <span>
#include <type_traits>

#include "recore/plugin_call.h"

namespace rec::plugin {

// A word that the user may write, and the value it stands for.
template <class T>
struct Word {
  const char* text;
  T value;
};

// All words of a choice: an array, a vector or a list in braces, which must outlive it.
template <class T>
struct Words : std::span<const Word<T>> {
  Words(std::initializer_list<Word<T>> list) : std::span<const Word<T>>(list.begin(), list.size()) {}
  Words(const std::vector<Word<T>>& list) : std::span<const Word<T>>(list) {}
  template <size_t n>
  Words(const Word<T> (&list)[n]) : std::span<const Word<T>>(list) {}
};

// The value of a word; INVALID_ARGUMENT, naming the parameter, for a word that is not in the list.
template <class T>
T value_of(const char* parameter, const std::string& text, const Words<T>& words) {
  std::string all;
  for (const Word<T>& word : words) {
    if (text == word.text) return word.value;
    all.append(all.empty() ? "" : ", ").append(word.text);
  }
  throw Failure{REC_INVALID_ARGUMENT, std::string(parameter) + ": must be one of " + all + ", got '" + text + "'"};
}

struct Range {
  double min, max;  // both inclusive; {0, 0} is no limit
};

// Given to Options::declare, whose every line names a parameter, the member that holds it, its default, its limits and
// its meaning. A first pass collects the declarations; later passes set the members from the values of a call.
class Fields {
 public:
  Fields() = default;
  Fields(const Context& context, const rec_params_t& params) : host_(&context.host), params_(&params) {}

  void operator()(const char* name, int64_t& value, const char* default_text, Range range, const char* doc) {
    if (declare({name, REC_PARAM_INT, 0, default_text, range.min, range.max, nullptr, doc})) loop(name, value);
  }
  void operator()(const char* name, double& value, const char* default_text, Range range, const char* doc) {
    if (declare({name, REC_PARAM_FLOAT, 0, default_text, range.min, range.max, nullptr, doc}))
      value = host_->param_float(params_, name);
  }
  void operator()(const char* name, bool& value, const char* default_text, const char* doc) {
    if (declare({name, REC_PARAM_BOOL, 0, default_text, 0, 0, nullptr, doc})) value = host_->param_bool(params_, name);
  }
  // A list of numbers, such as "[64, 32]".
  void operator()(const char* name, std::vector<double>& value, const char* default_text, const char* doc) {
    if (!declare({name, REC_PARAM_LIST, 0, default_text, 0, 0, nullptr, doc})) return;
    value.resize(host_->param_list(params_, name, nullptr, 0));
    host_->param_list(params_, name, value.data(), std::ssize(value));
  }
  // One of some words.
  template <class T>
  void operator()(const char* name, T& value, const char* default_text, Words<std::type_identity_t<T>> words,
                  const char* doc) {
    if (params_ != nullptr) return loop(name, value, words);
    std::string& all = texts_.emplace_back();
    for (const Word<T>& word : words) all.append(all.empty() ? "" : "|").append(word.text);
    declare({name, REC_PARAM_CHOICE, 0, default_text, 0, 0, all.c_str(), doc});
  }

  // One of some words "a|b|c", as it is written.
  void operator()(const char* name, std::string& value, const char* default_text, const char* choices,
                  const char* doc) {
    if (declare({name, REC_PARAM_CHOICE, 0, default_text, 0, 0, choices, doc}))
      value = host_->param_text(params_, name);
  }

  // A parameter of the training loop: only read, since the library declares it.
  void loop(const char* name, int64_t& value) const {
    if (params_ != nullptr) value = host_->param_int(params_, name);
  }
  template <class T>
  void loop(const char* name, T& value, Words<std::type_identity_t<T>> words) const {
    if (params_ != nullptr) value = value_of<T>(name, host_->param_text(params_, name), words);
  }

  const std::vector<rec_param_t>& declared() const { return declared_; }

 private:
  // True in a pass that reads.
  bool declare(const rec_param_t& param) {
    if (params_ == nullptr) declared_.push_back(param);
    return params_ != nullptr;
  }

  const rec_host_t* host_ = nullptr;
  const rec_params_t* params_ = nullptr;
  std::vector<rec_param_t> declared_;
  std::deque<std::string> texts_;  // the choices, whose addresses must not change
};

// Sizes of layers: `least` to `most` whole numbers from 1 to `largest`; INVALID_ARGUMENT otherwise.
inline std::vector<int64_t> whole_sizes(const char* parameter, const std::vector<double>& values, size_t most,
                                        int64_t largest) {
  const std::string name = std::string(parameter) + ": ";
  if (values.empty() || values.size() > most)
    throw Failure{REC_INVALID_ARGUMENT,
                  name + "must have 1 to " + std::to_string(most) + " sizes, got " + std::to_string(values.size())};
  std::vector<int64_t> sizes;
  for (double value : values) {
    if (value != std::floor(value) || value < 1 || value > static_cast<double>(largest))
      throw Failure{REC_INVALID_ARGUMENT, name + "sizes must be whole numbers from 1 to " + std::to_string(largest)};
    sizes.push_back(static_cast<int64_t>(value));
  }
  return sizes;
}

}  // namespace rec::plugin
