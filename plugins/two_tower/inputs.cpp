#include "plugins/two_tower/inputs.h"

namespace rec::two_tower {

Inputs::Inputs(plugin::DenseParameters& parameters, const std::string& prefix, const InputShape& shape, int64_t n,
               const plugin::OptimizerOptions& optimizer)
    : shape_(shape), n_(n), id_name_(prefix + ".id_emb"), id_state_(plugin::Embedding::state_names(id_name_.c_str())) {
  if (shape.ids) ids_ = std::make_unique<plugin::Embedding>(n, shape.id_dim, optimizer);
  for (size_t c = 0; c < shape.vocabularies.size(); ++c)
    tables_.push_back(parameters.add(prefix + ".cat_emb." + std::to_string(c), shape.vocabularies[c], shape.cat_dim));
}

void Inputs::initialize(plugin::DenseParameters& parameters, const plugin::Context& context, int64_t seed,
                        int32_t id_stream, int32_t category_stream) {
  if (ids_ != nullptr) ids_->initialize_normal(context, seed, id_stream, 0.01f);
  for (size_t table : tables_)
    parameters[table].initialize_normal(context, seed, category_stream + static_cast<int32_t>(table), 0.01f);
}

void Inputs::bind(const rec_feature_t* features, int64_t n_features) {
  dense_.clear();
  categorical_.clear();
  int64_t n_dense = 0;
  bool same = true;
  if (shape_.n_dense + static_cast<int64_t>(shape_.vocabularies.size()) == 0) return;
  for (int64_t f = 0; f < n_features; ++f) {
    const rec_feature_t& feature = features[f];
    if (feature.kind == REC_FEATURE_DENSE) {
      dense_.push_back(feature);
      n_dense += feature.width;
    } else {
      const size_t c = categorical_.size();
      same = same && c < shape_.vocabularies.size() && feature.vocabulary == shape_.vocabularies[c];
      categorical_.push_back(feature);
    }
  }
  if (!same || n_dense != shape_.n_dense || categorical_.size() != shape_.vocabularies.size())
    throw plugin::Failure{REC_INVALID_ARGUMENT, "the features of " + id_name_ + "'s side are not those of the schema"};
}

void Inputs::append_tensors(std::vector<plugin::TensorRef>& out) {
  if (ids_ != nullptr) ids_->append_tensors(out, id_name_.c_str(), id_state_);
}

}  // namespace rec::two_tower
