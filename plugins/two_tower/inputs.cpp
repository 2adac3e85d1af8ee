#include "plugins/two_tower/inputs.h"

namespace rec::two_tower {

Inputs::Inputs(Weights& weights, const std::string& prefix, const InputShape& shape, int64_t n)
    : prefix_(prefix), shape_(shape), n_(n) {
  if (shape.ids) ids_ = weights.add(prefix + ".id_emb", n, shape.id_dim, plugin::Init::normal(0.01));
}

void Inputs::add_tables(Weights& weights) {
  for (size_t c = 0; c < shape_.vocabularies.size(); ++c)
    tables_.push_back(weights.add(prefix_ + ".cat_emb." + std::to_string(c), shape_.vocabularies[c], shape_.cat_dim,
                                  plugin::Init::normal(0.01)));
}

void Inputs::bind(const rec_feature_t* features, int64_t n_features) {
  dense_.clear();
  categorical_.clear();
  int64_t n_dense = 0;
  bool same = true;
  if (shape_.n_dense + std::ssize(shape_.vocabularies) == 0) return;
  for (int64_t f = 0; f < n_features; ++f) {
    const rec_feature_t& feature = features[f];
    if (feature.kind == REC_FEATURE_DENSE) {
      dense_.push_back(feature);
      n_dense += feature.width;
    } else if (shape_.categories) {
      const size_t c = categorical_.size();
      same = same && c < shape_.vocabularies.size() && feature.vocabulary == shape_.vocabularies[c];
      categorical_.push_back(feature);
    }
  }
  if (!same || n_dense != shape_.n_dense || categorical_.size() != shape_.vocabularies.size())
    throw plugin::Failure{REC_INVALID_ARGUMENT, "the features of the side " + prefix_ + " are not those of the schema"};
}

}  // namespace rec::two_tower
