#pragma once

#include <string>
#include <vector>

#include "plugins/common/embedding.h"
#include "plugins/common/pairwise.h"

namespace rec::plugin {

// A named tensor [n, d] with its optimiser and the gradient of the last batch: of all rows, or of those it touched. A
// tensor whose name contains "bias" takes no weight decay.
class Parameter : public Embedding {
 public:
  Parameter(std::string name, int64_t n, int64_t d, OptimizerOptions options, std::vector<int64_t> shape = {});
  Parameter(const Parameter&) = delete;
  Parameter& operator=(const Parameter&) = delete;

  const std::string& name() const { return name_; }
  std::vector<int64_t> shape() const { return shape_.empty() ? std::vector<int64_t>{n(), d()} : shape_; }

  // The rows of this batch: they are brought up to date, and `gradient` is what `step` applies to them. Both must live
  // until then.
  void touch(const Context& context, const TouchedRows& rows, const Floats& gradient);
  // Every row has a gradient: the place for it, [n, d].
  float* dense_gradient();
  void step(const Context& context);
  int64_t step_size() const;  // elements with a gradient

  void append_tensors(std::vector<TensorRef>& out);
  rec_tensor_view_t gradient_view();

 private:
  std::string name_;
  std::vector<std::string> state_names_;
  std::vector<int64_t> shape_;  // in the file
  const TouchedRows* rows_ = nullptr;
  const Floats* row_gradient_ = nullptr;
  Floats dense_;
};

// What is the same for every model that is a list of parameters.
class ParameterModel : public Model {
 public:
  void bind(const Context&, const rec_dataset_view_t&) override {}
  void apply(const Context& context) override;
  std::vector<TensorRef> tensors() override;
  void settle(const Context& context) override;
  void restored() override;
  void freeze(const Context&) override {}
  rec_tensor_view_t gradients(int64_t i) override;

 protected:
  virtual std::vector<Parameter*> parameters() = 0;
};

// One of the rules for a whole tensor: normal(deviation), xavier_normal, xavier_uniform.
void initialize(Parameter& parameter, const Context& context, int64_t seed, int32_t stream, const std::string& rule,
                double deviation);

}  // namespace rec::plugin
