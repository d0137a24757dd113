#include "lora/weight_update.hpp"

#include "weights/quoted.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/einsum.h>
#include <ATen/ops/kron.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/norm.h>
#include <refrain/diffusion/error.hpp>

#include <limits>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using Kind = WeightUpdate::Kind;

std::int64_t product(at::IntArrayRef sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

std::string shape_text(at::IntArrayRef shape) {
  std::ostringstream text;
  text << shape;
  return text.str();
}

[[noreturn]] void wrong_shape(const WeightUpdate& update, const std::string& why) {
  throw ModelError("lora_shape", update.file->name() + ": the change in " + in_quotes(update.parts.begin()->second) +
                                     " does not fit: " + why + "; the LoRA was made for another kind of model");
}

/// B A, as [O, I].
at::Tensor low_rank(const WeightUpdate& update) {
  at::Tensor down = update.tensor("down");
  if (update.has("mid")) {
    const at::Tensor mid = update.tensor("mid");
    down = at::mm(down.transpose(0, 1).flatten(1), mid.transpose(0, 1).flatten(1))
               .reshape({down.size(1), down.size(0), mid.size(2), mid.size(3)})
               .transpose(0, 1);
  }
  return at::mm(update.tensor("up").flatten(1), down.flatten(1));
}

/// A small core [r, r, k, k] between its two sides: [O, I, k, k].
at::Tensor unfolded(const at::Tensor& core, const at::Tensor& down, const at::Tensor& up) {
  return at::einsum("ijkl,jr,ip->prkl", {core, down, up});
}

at::Tensor hadamard(const WeightUpdate& update) {
  const auto factor = [&](const std::string& number) {
    const at::Tensor up = update.tensor("w" + number + "_a"), down = update.tensor("w" + number + "_b");
    return update.has("t1") ? unfolded(update.tensor("t" + number), down, up) : at::mm(up, down);
  };
  return factor("1") * factor("2");
}

at::Tensor kronecker(const WeightUpdate& update) {
  at::Tensor first = update.has("w1") ? update.tensor("w1") : at::mm(update.tensor("w1_a"), update.tensor("w1_b"));
  at::Tensor second;
  if (update.has("w2")) {
    second = update.tensor("w2");
  } else if (update.has("t2")) {
    second = unfolded(update.tensor("t2"), update.tensor("w2_b"), update.tensor("w2_a"));
  } else {
    second = at::mm(update.tensor("w2_a"), update.tensor("w2_b"));
  }
  if (second.dim() == 4) first = first.unsqueeze(2).unsqueeze(2);
  return at::kron(first, second.contiguous());  // kron can't view what einsum's permuted strides make of the product
}

at::Tensor delta(const WeightUpdate& update) {
  switch (update.kind) {
    case Kind::low_rank: return low_rank(update);
    case Kind::hadamard: return hadamard(update);
    case Kind::kronecker: return kronecker(update);
    case Kind::difference: return update.tensor("difference");
    case Kind::replacement: break;
  }
  return update.tensor("replacement");
}

/// a / r; 1 without an alpha.
double scale(const WeightUpdate& update) {
  const auto rank = [&]() -> std::optional<std::int64_t> {
    if (update.kind == Kind::low_rank) return update.info("down").shape.at(0);
    if (update.kind == Kind::hadamard) return update.info("w1_b").shape.at(0);
    if (update.kind == Kind::kronecker && !update.has("w2")) return update.info("w2_b").shape.at(0);
    if (update.kind == Kind::kronecker && !update.has("w1")) return update.info("w1_b").shape.at(0);
    return std::nullopt;
  }();
  return update.alpha && rank ? *update.alpha / static_cast<double>(*rank) : 1.0;
}

/// Lengths of a weight's rows (or columns, where the scale has another number of rows than the weight).
at::Tensor lengths(const at::Tensor& weight, const at::Tensor& changed, const at::Tensor& magnitude) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(weight.dim()), 1);
  if (magnitude.size(0) == changed.size(0)) {
    sizes[0] = weight.size(0);
    return weight.reshape({weight.size(0), -1}).norm(2, {1}, true).reshape(sizes);
  }
  sizes[0] = changed.size(1);
  return changed.transpose(0, 1).reshape({changed.size(1), -1}).norm(2, {1}, true).reshape(sizes).transpose(0, 1);
}

at::Tensor decomposed(const at::Tensor& magnitude, at::Tensor weight, at::Tensor change, double factor,
                      double strength) {
  at::Tensor changed = weight + change.mul_(factor);
  const at::Tensor length = lengths(weight, changed, magnitude) + std::numeric_limits<float>::epsilon();
  changed.mul_(magnitude / length);
  if (strength == 1.0) return changed;
  return weight.add_(changed.sub_(weight).mul_(strength));
}

at::Tensor added(const WeightUpdate& update, double strength, at::Tensor weight) {
  at::Tensor change = delta(update);
  if (update.kind == Kind::replacement) return change.reshape(weight.sizes()).clone();
  if (update.kind == Kind::difference) return weight.add_(change.reshape(weight.sizes()) * strength);
  change = change.reshape(weight.sizes());
  const double factor = scale(update);
  if (update.has("dora_scale")) {
    return decomposed(update.tensor("dora_scale"), std::move(weight), std::move(change), factor, strength);
  }
  return weight.add_(change * (strength * factor));
}

}  // namespace

at::Tensor WeightUpdate::tensor(std::string_view part) const { return file->tensor(name_of(part)).to(at::kFloat); }

void check_update(const WeightUpdate& update, const std::string& weight, at::IntArrayRef shape) {
  const auto size = [&](std::string_view part, std::size_t dimension) {
    const auto& sizes = update.info(part).shape;
    return dimension < sizes.size() ? sizes[dimension] : 1;
  };
  const auto elements = [&](std::string_view part) { return product(update.info(part).shape); };
  const std::string wanted = "the weight " + in_quotes(weight) + " has the shape " + shape_text(shape);
  for (const auto& [part, name] : update.parts) {
    const auto& sizes = update.info(part).shape;
    const bool core = part == "mid" || part == "t1" || part == "t2";
    if (elements(part) == 0 || (core && sizes.size() != 4) || (!core && sizes.empty())) {
      wrong_shape(update, "its part " + in_quotes(name) + " has the shape " + shape_text(sizes));
    }
  }
  std::int64_t rows = shape.empty() ? 1 : shape[0], total = product(shape);
  if (update.kind == Kind::low_rank) {
    rows = size("up", 0);
    const std::int64_t rank = elements("up") / rows;
    const std::int64_t kernel = update.has("mid") ? size("mid", 2) * size("mid", 3) : 1;
    total = rows * (elements("down") / size("down", 0)) * kernel;
    if (rank != size("down", 0)) wrong_shape(update, "its two matrices have no rank in common");
  } else if (update.kind == Kind::hadamard) {
    const bool core = update.has("t1");
    total = size("w1_a", core ? 1 : 0) * size("w1_b", 1) * (core ? size("t1", 2) * size("t1", 3) : 1);
  } else if (update.kind == Kind::kronecker) {
    const bool core = !update.has("w2") && update.has("t2");
    total = update.has("w1") ? elements("w1") : size("w1_a", 0) * size("w1_b", 1);
    total *= update.has("w2") ? elements("w2") : size("w2_a", core ? 1 : 0) * size("w2_b", 1);
    if (core) total *= size("t2", 2) * size("t2", 3);
  } else {
    const auto& sizes = update.info(update.kind == Kind::difference ? "difference" : "replacement").shape;
    if (at::IntArrayRef(sizes) != shape) wrong_shape(update, wanted + ", the change " + shape_text(sizes));
  }
  if (rows != (shape.empty() ? 1 : shape[0]) || total != product(shape)) {
    wrong_shape(update,
                wanted + ", the change " + std::to_string(rows) + " rows and " + std::to_string(total) + " numbers");
  }
}

at::Tensor updated(const WeightUpdate& update, double strength, at::Tensor weight) {
  const std::vector<std::int64_t> shape = weight.sizes().vec();
  at::Tensor result;
  try {
    result = added(update, strength, std::move(weight));
  } catch (const c10::Error& error) {
    wrong_shape(update, error.what_without_backtrace());
  }
  if (result.sizes() != at::IntArrayRef(shape)) {
    wrong_shape(update,
                "the weight of shape " + shape_text(shape) + " would become one of " + shape_text(result.sizes()));
  }
  return result;
}

}  // namespace refrain::diffusion
