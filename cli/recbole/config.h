// RecBole's configuration: its files and --key=value, as an experiment.
#pragma once

#include <string>
#include <vector>

#include "cli/experiment/experiment.h"

namespace rec::cli::recbole {

struct Imported {
  Experiment experiment;
  std::vector<std::string> left_out;  // "KEY: why", of keys that are given and have no part in the experiment
};

// words: --model=NAME --dataset=NAME [--config_files="A.yaml B.yaml"] [--key=value ...]; later values win. Failure for what
// is missing or cannot be had here.
Imported import_config(const std::vector<std::string>& words);

}  // namespace rec::cli::recbole
