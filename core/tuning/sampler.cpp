#include "core/tuning/sampler.h"

#include <algorithm>
#include <cmath>

#include "core/tuning/parzen.h"

namespace rec {

namespace {

using Kind = TunedParameter::Kind;

// Of the values of one parameter in some trials: how likely is each?
class Likelihood {
 public:
  Likelihood(const TunedParameter& parameter, std::span<const Json* const> trials) : parameter_(parameter) {
    std::vector<double> points;
    if (parameter.kind == Kind::kChoice) weights_.assign(parameter.choices.size(), 1);
    for (const Json* trial : trials) {
      const Json& value = trial->at(parameter.name);
      if (parameter.kind == Kind::kChoice)
        ++weights_[*parameter.choice(value)];
      else
        points.push_back(parameter.position(value.get<double>()));
    }
    if (parameter.kind != Kind::kChoice) numbers_.emplace(std::move(points), parameter.lowest(), parameter.highest());
    for (const double weight : weights_) total_ += weight;
  }

  Json draw(Rng& rng) const {
    if (numbers_) return parameter_.at(numbers_->draw(rng));
    double left = rng.next_double() * total_;
    size_t i = 0;
    while (i + 1 < weights_.size() && left >= weights_[i]) left -= weights_[i++];
    return parameter_.choices[i];
  }

  double of(const Json& value) const {
    if (parameter_.kind == Kind::kChoice) return weights_[*parameter_.choice(value)] / total_;
    const auto number = value.get<double>();
    if (parameter_.kind == Kind::kFloat) return numbers_->density(parameter_.position(number));
    return numbers_->mass(parameter_.position(number - 0.5), parameter_.position(number + 0.5));
  }

 private:
  const TunedParameter& parameter_;
  std::vector<double> weights_;
  double total_ = 0;
  std::optional<Parzen> numbers_;
};

Json random_value(const TunedParameter& parameter, Rng& rng) {
  if (parameter.kind == Kind::kChoice)
    return parameter.choices[rng.next_below(static_cast<uint32_t>(parameter.choices.size()))];
  return parameter.at(parameter.lowest() + (parameter.highest() - parameter.lowest()) * rng.next_double());
}

}  // namespace

Json random_parameters(const Space& space, Rng rng) {
  Json values = Json::object();
  for (const TunedParameter& parameter : space.parameters()) values[parameter.name] = random_value(parameter, rng);
  return values;
}

// Parameters are independent, so the best combination of the candidates has the best candidate of each.
Json tpe_parameters(const Space& space, std::span<const Json* const> best_first, Rng rng) {
  const auto n_good = static_cast<size_t>(std::ceil(kTpeGood * static_cast<double>(best_first.size())));
  Json values = Json::object();
  for (const TunedParameter& parameter : space.parameters()) {
    const Likelihood l(parameter, best_first.first(n_good)), g(parameter, best_first.subspan(n_good));
    double best = -1;
    for (int i = 0; i < kTpeCandidates; ++i) {
      Json candidate = l.draw(rng);
      const double score = l.of(candidate) / g.of(candidate);
      if (score <= best) continue;
      best = score;
      values[parameter.name] = std::move(candidate);
    }
  }
  return values;
}

}  // namespace rec
