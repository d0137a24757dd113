#pragma once
// Which of a checkpoint's pickled values are the model's weights.

#include "weights/pickle_values.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {

/// The value that holds the weights, and whether it is known to be their average over the training steps.
struct State {
  pickle::Ref value = 0;
  bool averaged = false;
};

/// See collect_tensors. Where there is no average, `use_ema` finds the trained weights.
State find_state(const pickle::Values& values, pickle::Ref root, std::optional<bool> use_ema);

/// Every tensor in `state` and in the dicts inside it, with the keys on the way joined by dots. A "module." that all
/// names begin with (torch.nn.DataParallel) is left out.
std::vector<std::pair<std::string, pickle::Ref>> list_tensors(pickle::Values& values, pickle::Ref state);

}  // namespace refrain::diffusion
