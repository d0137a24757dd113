#include "ops/packed.hpp"

#include <ATen/Context.h>
#include <ATen/core/List.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <initializer_list>
#include <utility>
#include <vector>

namespace refrain::diffusion::packed {
namespace {

using Operator = std::optional<c10::OperatorHandle>;

Operator find(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchema({name, overload});
}

/// Looked up once; the registry never changes under a running program.
struct Operators {
  Operator reorder_linear = find("mkldnn::_reorder_linear_weight");
  Operator reorder_conv = find("mkldnn::_reorder_convolution_weight");
  Operator linear = find("mkldnn::_linear_pointwise");
  Operator linear_binary = find("mkldnn::_linear_pointwise", "binary");
  Operator conv = find("mkldnn::_convolution_pointwise");
  Operator conv_binary = find("mkldnn::_convolution_pointwise", "binary");

  bool complete() const {
    return at::globalContext().userEnabledMkldnn() && reorder_linear && reorder_conv && linear && linear_binary &&
           conv && conv_binary;
  }
};

const Operators& operators() {
  static const Operators found;
  return found;
}

/// Boxed, so that a libtorch that gives an operator another C++ signature is no other program.
at::Tensor call(const Operator& handle, std::initializer_list<c10::IValue> arguments) {
  torch::jit::Stack stack(arguments);
  handle->callBoxed(&stack);
  return std::move(stack.front()).toTensor();
}

c10::IValue optional_tensor(const at::Tensor& tensor) { return tensor.defined() ? c10::IValue(tensor) : c10::IValue(); }
c10::List<std::optional<at::Scalar>> no_scalars() { return c10::List<std::optional<at::Scalar>>(); }
std::vector<std::int64_t> both(std::int64_t value) { return {value, value}; }

/// What the thread's outermost Workspace keeps: memory of the largest weight converted so far.
struct Memory {
  bool kept = false;
  at::Tensor bytes;
};

thread_local Memory memory;

at::Tensor in_workspace(at::IntArrayRef shape, at::ScalarType dtype, at::MemoryFormat format) {
  const at::Tensor like = at::empty(shape, at::TensorOptions(at::kMeta).dtype(dtype), format);
  const auto needed = static_cast<std::int64_t>(like.nbytes());
  if (!memory.bytes.defined() || memory.bytes.numel() < needed) {
    memory.bytes.reset();  // the smaller one's pages first
    memory.bytes = at::empty({needed}, at::kByte);
  }
  return memory.bytes.narrow(0, 0, needed).view(dtype).as_strided(shape, like.strides());
}

/// The weight in another dtype and order, to be read before the next call.
at::Tensor converted(const at::Tensor& weight, at::ScalarType dtype, at::MemoryFormat format) {
  const bool already = weight.scalar_type() == dtype && weight.is_contiguous(format);
  if (already || !memory.kept) return weight.to(dtype, false, false, format);
  return in_workspace(weight.sizes(), dtype, format).copy_(weight);
}

template <class Pack>
std::optional<at::Tensor> try_pack(const Pack& pack) {
  if (!operators().complete()) return std::nullopt;
  try {
    return pack();
  } catch (const c10::Error&) {  // this CPU can't do the type (bfloat16 without AVX-512): the plain operator can
    return std::nullopt;
  }
}

}  // namespace

Workspace::Workspace() : outermost_(!memory.kept) { memory.kept = true; }

Workspace::~Workspace() {
  if (outermost_) memory = Memory{};
}

std::optional<at::Tensor> pack_linear(const at::Tensor& weight, at::ScalarType dtype) {
  return try_pack([&] {
    const at::Tensor plain = converted(weight, dtype, at::MemoryFormat::Contiguous);
    return call(operators().reorder_linear, {plain, c10::IValue()});
  });
}

at::Tensor pack_conv(const at::Tensor& weight, at::ScalarType dtype, const ConvGeometry& geometry,
                     at::IntArrayRef input_size) {
  // The operator makes a channels-last copy of whatever comes otherwise.
  const at::Tensor plain = converted(weight, dtype, at::MemoryFormat::ChannelsLast);
  return call(operators().reorder_conv,
              {plain, both(geometry.padding), both(geometry.stride), both(1), std::int64_t{1}, input_size.vec()});
}

bool can_pack(at::ScalarType dtype) { return pack_linear(at::zeros({1, 1}), dtype).has_value(); }

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Unary unary) {
  return call(operators().linear, {x, weight, optional_tensor(bias), unary == Unary::gelu ? "gelu" : "none",
                                   no_scalars(), unary == Unary::gelu ? c10::IValue("none") : c10::IValue()});
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Binary binary,
                  const at::Tensor& other) {
  return call(operators().linear_binary,
              {x, other, weight, optional_tensor(bias), binary == Binary::add ? "add" : "mul"});
}

at::Tensor conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvGeometry& geometry) {
  return call(operators().conv, {x, weight, optional_tensor(bias), both(geometry.padding), both(geometry.stride),
                                 both(1), std::int64_t{1}, "none", no_scalars(), c10::IValue()});
}

at::Tensor conv_add(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvGeometry& geometry,
                    const at::Tensor& other) {
  return call(operators().conv_binary,
              {x, other, weight, optional_tensor(bias), both(geometry.padding), both(geometry.stride), both(1),
               std::int64_t{1}, "add", c10::IValue(), c10::IValue(), no_scalars(), c10::IValue()});
}

}  // namespace refrain::diffusion::packed
