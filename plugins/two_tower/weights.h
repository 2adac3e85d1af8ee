#pragma once

#include "rec_plugin_cpp.h"

namespace rec::two_tower {

// All parameters of the model, indexed in the order in which they were added.
class Weights {
 public:
  explicit Weights(const plugin::OptimizerOptions& optimizer) : optimizer_(optimizer) {}

  // Adds a matrix and returns its index.
  size_t add(const std::string& name, int64_t rows, int64_t columns, plugin::Init init = {}) {
    all_.push_back(std::make_unique<plugin::Parameter>(name, rows, columns, optimizer_, init));
    return all_.size() - 1;
  }
  // Adds weight [out, in] and bias [1, out] of a linear layer; returns the weight's index, which the bias's follows.
  size_t add_linear(const std::string& name, int64_t in, int64_t out) {
    const size_t weight = add(name + ".weight", out, in, plugin::Init::linear(in));
    add(name + ".bias", 1, out, plugin::Init::linear(in));
    return weight;
  }

  size_t size() const { return all_.size(); }
  plugin::Parameter& operator[](size_t i) const { return *all_[i]; }
  std::vector<plugin::Parameter*> all() const {
    std::vector<plugin::Parameter*> out;
    for (const auto& parameter : all_) out.push_back(parameter.get());
    return out;
  }

 private:
  plugin::OptimizerOptions optimizer_;
  std::vector<std::unique_ptr<plugin::Parameter>> all_;
};

}  // namespace rec::two_tower
