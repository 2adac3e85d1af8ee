#pragma once

#include "plugins/common/rows.h"

namespace rec::gru4rec {

enum class Variant { kOfficial, kReChorus, kRecBole, kMetaSpore };
enum class Input { kConstrained, kSeparate, kOneHot };
enum class Loss { kSoftmax, kBprMax, kBprMulti, kBpr, kBprLog, kBce, kTop1 };

// Values of the plugin's parameters.
struct Options {
  Variant variant;
  int64_t emb_size;
  std::vector<double> layer_sizes;
  std::vector<int64_t> layers;  // layer_sizes as integers
  int64_t history_max;
  double dropout_embed, dropout_hidden;
  std::string loss_word, optimizer_word;
  Loss loss;
  Input input;
  int64_t n_sample;
  double sample_alpha;
  double bpreg, elu, logq, temperature;
  double init_std;
  plugin::FrozenRow frozen;
  int64_t batch_size;
  int64_t seed;
  plugin::OptimizerOptions optimizer, table_optimizer;
  plugin::OptimizerOptions ftrl{plugin::Optimizer::kFtrl};
  bool ftrl_tables;

  void declare(plugin::Fields& field);
  void complete(const rec_schema_t& schema);
  int32_t host_loss() const;  // REC_LOSS_, for the losses that the host has
};

// Random streams of the plugin; layers take several each.
enum Stream : int32_t { kItems = 0, kInputItems = 1, kBias = 2, kOut = 3, kDropout = 8, kLayers = 16 };

}  // namespace rec::gru4rec
