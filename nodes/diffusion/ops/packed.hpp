#pragma once
// Weights in the blocked form that oneDNN multiplies fastest with, through operators that libtorch registers but has no
// C++ header for. On a CPU they run at up to twice the speed of at::linear and at::conv2d, which reorder at each call.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>

namespace refrain::diffusion::packed {

/// What is done to a product before it is stored.
enum class Unary : std::uint8_t { none, gelu };  // gelu: the exact one, with erf
enum class Binary : std::uint8_t { add, multiply };

struct ConvGeometry {
  int kernel = 3;
  int stride = 1;
  int padding = 1;
};

/// While one lives, what packs weights on its thread converts them in memory that is kept until its end: new pages for
/// every weight's conversion would cost more than the conversion. One within another's life does nothing.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

 private:
  bool outermost_;
};

/// Whether this libtorch and CPU multiply packed weights of that type.
bool can_pack(at::ScalarType dtype);
/// weight [out, in] on the CPU, of any dtype -> its packed form in `dtype`; none where this libtorch, CPU or type has no
/// such operator.
std::optional<at::Tensor> pack_linear(const at::Tensor& weight, at::ScalarType dtype);
/// weight [out, in, k, k] on the CPU, of any dtype -> its packed form in `dtype` for inputs of the size [N, in, h, w],
/// where can_pack(dtype). The best form depends on that size; oneDNN reorders a whole weight at every call, slowly,
/// where the input asks for another form.
at::Tensor pack_conv(const at::Tensor& weight, at::ScalarType dtype, const ConvGeometry& geometry,
                     at::IntArrayRef input_size);

/// unary(x W^T + bias); x [..., in], bias [out] or undefined.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Unary unary);
/// (x W^T + bias) with `other` of the same shape added or multiplied.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, Binary binary,
                  const at::Tensor& other);
/// x [N, in, h, w] channels-last -> channels-last.
at::Tensor conv(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvGeometry& geometry);
/// The convolution plus `other`, of the result's shape.
at::Tensor conv_add(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, const ConvGeometry& geometry,
                    const at::Tensor& other);

}  // namespace refrain::diffusion::packed
