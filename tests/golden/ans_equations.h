#pragma once

#include "plugins/ans/ans.h"
#include "recore/plugin_torch.h"

// The equations of ANS as tensor operations, differentiated by autograd, to compare the host's kernel with.
namespace rec::ans {

using at::Tensor;

// The vectors of a batch at every hop h: users u and positives p [B, H, d], negatives n [B, K, H, d], the outputs of the
// two linear gates beside u and n, the weight [1, d] and bias [1, 1] of Lin_margin, uniform noise [B, K, H, d].
struct Augmented {
  Tensor u, p, n, user_gate, item_gate, margin_weight, margin_bias, noise;
};

struct Terms {
  Tensor bpr, contrast, distance, orth;        // scalars
  Tensor gate, margin, n_hard, n_easy, n_syn;  // [B, K, H, d], the margin [B, K, H, 1]
  Tensor selected;                             // [B, H], k*

  Tensor total(double gamma) const { return bpr + gamma * (contrast + distance + orth); }
};

// Sections 3.2 and 3.3 of the paper, on the device of the inputs.
inline Terms augmented_losses(const Augmented& in, const AugmentOptions& options) {
  Terms out;
  const Tensor u = in.u.unsqueeze(1), p = in.p.unsqueeze(1), &n = in.n;  // [B, 1, H, d] beside [B, K, H, d]
  const auto dot = [](const Tensor& a, const Tensor& b) { return (a * b).sum(-1); };

  // g = sigmoid(Lin_item_gate(n) * Lin_user_gate(u)): the gate of the negative is applied to the positive too.
  out.gate = at::sigmoid(in.item_gate * in.user_gate.unsqueeze(1));
  out.n_hard = n * out.gate;
  out.n_easy = n - out.n_hard;
  const Tensor p_hard = p * out.gate, p_easy = p - p_hard;

  // m = sigmoid(1 / Lin_margin(n_hard * p_hard)); a floor keeps 0 times infinity out of its gradient.
  const Tensor x = (out.n_hard * p_hard * in.margin_weight).sum(-1, true) + in.margin_bias;
  const Tensor side = (x >= 0).to(x.scalar_type()) * 2 - 1;
  out.margin = at::sigmoid(1 / (side * (side * x).clamp_min(std::max(options.margin_eps, 1e-12))));

  // delta = sign(p_easy - n_easy) * nrm(noise) * m * c,  n_syn = n_hard + (n_easy + delta)
  const Tensor direction = at::sign(p_easy - out.n_easy).detach() * plugin::normalized(in.noise);
  out.n_syn = out.n_hard + (out.n_easy + direction * out.margin * options.noise_scale);

  // k* = argmax_k [ u . n_syn + eps * (u . n_syn - u . n) ], per hop.
  const Tensor s_syn = dot(u, out.n_syn), s_n = dot(u, n);  // [B, K, H]
  out.selected = (s_syn + options.eps * (s_syn - s_n)).detach().argmax(1);
  const Tensor chosen = s_syn.gather(1, out.selected.unsqueeze(1)).squeeze(1);

  // L_bpr = mean_b -ln(1e-10 + sigmoid(S+ - S-)), both summed over hops.
  const Tensor difference = (dot(in.u, in.p) - chosen).sum(-1);
  out.bpr = -at::log(1e-10 + at::sigmoid(difference)).mean();

  // L_con = mean_{b,h} ln(1 + sum_k exp(u . n_easy - u . n_hard))
  const Tensor split = dot(u, out.n_easy) - dot(u, out.n_hard);
  const Tensor highest = split.detach().amax(1, true).clamp_min(0);
  out.contrast = (highest + at::log(at::exp(-highest) + at::exp(split - highest).sum(1, true))).mean();

  // L_dis = mean_{b,k,h} ||n_hard - p_hard + 1e-6||,  L_orth = mean_{b,k} sum_h ||p_easy * n_easy||
  out.distance = (out.n_hard - p_hard + 1e-6).norm(2, {-1}).mean();
  out.orth = (p_easy * out.n_easy).norm(2, {-1}).sum(-1).mean();
  return out;
}

}  // namespace rec::ans
