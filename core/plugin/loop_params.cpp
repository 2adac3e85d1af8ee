#include "core/plugin/loop_params.h"

namespace rec {

namespace {

constexpr rec_param_t kLoopParams[] = {
    {"epochs", REC_PARAM_INT, 0, "300", 1, 1e6, nullptr, "most passes over the training interactions"},
    {"batch_size", REC_PARAM_INT, 0, "2048", 1, 1 << 24, nullptr, "rows of one optimiser step"},
    {"seed", REC_PARAM_INT, 0, "1", 0, 0, nullptr, "of every random number: same seed, same batches, same model"},
    {"num_neg", REC_PARAM_INT, 0, "1", 1, 4096, nullptr, "negatives of each positive, where the sampler draws them"},
    {"sampler", REC_PARAM_CHOICE, 0, "uniform", 0, 0, "uniform|popularity|dns|in_batch",
     "negatives: uniform, by training count to the power sampler_alpha, the best-scored of dns_candidates, or the "
     "other "
     "positives of the batch, corrected by their estimated frequency"},
    {"sampler_alpha", REC_PARAM_FLOAT, 0, "0.75", 0, 4, nullptr, "power of the popularity sampler"},
    {"dns_candidates", REC_PARAM_INT, 0, "8", 1, 1024, nullptr, "candidates of each dynamic negative"},
    {"task", REC_PARAM_CHOICE, 0, "topk", 0, 0, "topk|impression|ctr",
     "what is learnt: to rank all items, to rank impression lists, or to tell clicked rows from shown ones"},
    {"list_loss", REC_PARAM_CHOICE, 0, "BPR", 0, 0,
     "BPR|BPRafter|BPRbefore|BPRsimple|BPRhard|BPRhardafter|BPRhardbefore|listnet|softmaxCE|attention_rank",
     "loss of task=impression"},
    {"label_loss", REC_PARAM_CHOICE, 0, "bce", 0, 0, "bce|mse", "loss of task=ctr, on sigmoid(score)"},
    {"max_pos", REC_PARAM_INT, 0, "20", 1, 4096, nullptr, "clicked items kept of an impression list, the first ones"},
    {"max_neg", REC_PARAM_INT, 0, "20", 1, 4096, nullptr, "shown items kept of an impression list, the first ones"},
    {"frequency_alpha", REC_PARAM_FLOAT, 0, "0.01", 1e-6, 1, nullptr, "rate of in_batch's frequency estimate"},
    {"eval_every", REC_PARAM_INT, 0, "1", 1, 1e6, nullptr, "epochs between two evaluations on valid"},
    {"patience", REC_PARAM_INT, 0, "20", 0, 1e6, nullptr,
     "evaluations without a new best before training stops; 0 = never"},
    {"threads", REC_PARAM_INT, 0, "0", 0, 256, nullptr,
     "threads to work on; 0 = as many as there are; no effect on results"},
    {"device", REC_PARAM_CHOICE, 0, "cpu", 0, 0, "cpu|cuda", "where the model's tensors live"},
};

}  // namespace

std::span<const rec_param_t> loop_params() { return kLoopParams; }

}  // namespace rec
