// The models of the conformance suite: small parameters for each, and its expected capabilities.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace rec::test {

struct Model {
  std::string name;
  std::string params;  // small and quick
  std::vector<std::string> capabilities;
  bool personal;                 // learns who likes what; popularity does not
  bool cold_user;                // answers an unknown user
  bool closed_form;              // one pass over items, no loss
  std::string exploding_params;  // lead to a NaN loss; "" for closed forms and for cosine scores
  std::string variant;           // tells two rows of one plugin apart
};

inline void PrintTo(const Model& model, std::ostream* out) { *out << model.name << model.variant; }

inline const std::vector<std::string> kTables{"train",      "user_table", "item_table", "deterministic",
                                       "score_live", "gradients",  "lists",      "labelled"};
inline const std::vector<std::string> kSequences{"train",         "item_table", "encode",   "cold_user",
                                          "deterministic", "score_live", "gradients"};
inline const std::vector<std::string> kLabelledSequences{"train",         "item_table", "encode",    "cold_user",
                                                  "deterministic", "score_live", "gradients", "labelled"};
inline const std::vector<std::string> kWeights{"train", "cold_user", "deterministic", "item_weights"};
inline const std::vector<Model> kModels{
    {"popularity",
     R"("batch_size": 16)",
     {"train", "user_table", "item_table", "cold_user", "deterministic"},
     false,
     true,
     true,
     ""},
    {"bprmf", R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05)", kTables, true, false, false,
     R"("optimizer": "sgd", "lr": 10, "reg_weight": 100, "epochs": 300, "batch_size": 32)"},
    {"bprmf", R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05, "sampler": "in_batch", "loss": "softmax")",
     kTables, true, false, false,
     R"("optimizer": "sgd", "lr": 10, "reg_weight": 100, "epochs": 300, "batch_size": 32, "sampler": "in_batch")",
     "_in_batch_negatives"},
    {"lightgcn", R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05)", kTables, true, false, false,
     R"("optimizer": "sgd", "lr": 10, "reg_weight": 100, "epochs": 300, "batch_size": 32)"},
    {"itemknn", "", kWeights, true, true, true, ""},
    {"ease", R"("lambda": 10)", kWeights, true, true, true, ""},
    {"fpmc", R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05, "num_neg": 4)", kLabelledSequences, true,
     true, false, R"("optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)"},
    {"neumf",
     R"("emb_size": 8, "layers": [8], "epochs": 80, "batch_size": 32, "lr": 0.02, "init_std": 0.3)",
     {"train", "score", "deterministic", "score_live", "gradients", "lists", "labelled", "vectors"},
     true,
     false,
     false,
     R"("optimizer": "sgd", "lr": 10, "l2": 10, "init_std": 1, "epochs": 300, "batch_size": 32)"},
    {"gru4rec", R"("layers": [16], "epochs": 60, "batch_size": 40, "n_sample": 8, "lr": 0.1)", kSequences, true, true,
     false, R"("layers": [16], "batch_size": 16, "optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300)", "_official"},
    {"gru4rec", R"("variant": "rechorus", "layers": [8], "emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.02)",
     kSequences, true, true, false,
     R"("variant": "rechorus", "optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)", "_rechorus"},
    {"gru4rec", R"("variant": "recbole", "layers": [8], "emb_size": 8, "epochs": 40, "batch_size": 32, "lr": 0.02)",
     kSequences, true, true, false,
     R"("variant": "recbole", "optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)", "_recbole"},
    {"gru4rec",
     R"("variant": "metaspore", "layers": [8, 8], "emb_size": 8, "epochs": 60, "batch_size": 16, "lr": 0.02,
        "temperature": 0.2, "init_std": 0.3)",
     kSequences, true, true, false, "", "_metaspore"},
    {"hrm",
     R"("emb_size": 16, "epochs": 60, "batch_size": 32, "lr": 0.05, "num_neg": 4, "history_max": 1,
        "pooling_layers": "sum", "init_std": 0.1, "temperature": 0.5, "l2": 0.001, "dropout": 0)",
     kLabelledSequences, true, true, false,
     R"("loss": "neg_sampling", "optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)"},
    {"hrm",
     R"("emb_size": 16, "epochs": 60, "batch_size": 32, "lr": 0.05, "history_max": 1, "pooling_layers": "mean",
        "init_std": 0.1, "loss": "in_batch")",
     kLabelledSequences, true, true, false, "", "_in_batch"},
    {"slrc_plus",
     R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05, "time_scalar": 100)",
     {"train", "score", "deterministic", "score_live", "gradients", "vectors"},
     true,
     false,
     false,
     R"("optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)"},
    {"fism",
     R"("emb_size": 8, "epochs": 60, "batch_size": 16, "lr": 0.3)",
     {"train", "item_table", "encode", "cold_user", "deterministic"},
     true,
     true,
     false,
     R"("lr": 100, "l2": 100, "epochs": 300, "batch_size": 32)"},
#ifdef REC_WITH_TORCH
    {"ans",
     R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.05, "num_neg": 4)",
     {"train", "user_table", "item_table", "deterministic", "score_live", "gradients"},
     true,
     false,
     false,
     R"("optimizer": "sgd", "lr": 10, "reg_weight": 100, "reg_norm": "squared", "epochs": 300, "batch_size": 32)"},
    {"autocf",
     R"("emb_size": 8, "epochs": 60, "batch_size": 32, "lr": 0.02, "seed_num": 2, "mask_depth": 1, "fix_steps": 3)",
     {"train", "user_table", "item_table", "deterministic", "gradients"},
     true,
     false,
     false,
     R"("optimizer": "sgd", "lr": 10, "reg_weight": 100, "epochs": 300, "batch_size": 32)"},
    {"two_tower",
     R"("id_dim": 8, "h1": 16, "h2": 16, "out_dim": 8, "epochs": 60, "batch_size": 32, "lr": 0.01)",
     {"train", "user_table", "item_table", "deterministic", "gradients"},
     true,
     false,
     false,
     R"("optimizer": "sgd", "lr": 10, "l2": 10, "epochs": 300, "batch_size": 32)"},
    {"simplex",
     R"("emb_size": 8, "epochs": 60, "batch_size": 128, "lr": 0.05, "num_neg": 8)",
     {"train", "user_table", "item_table", "deterministic"},
     true,
     false,
     false,
     ""},
#endif
};

}  // namespace rec::test
