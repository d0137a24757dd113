#pragma once
// Random weights that any program can make again, to the bit, from a tensor's name and shape.
//
// Element i (row-major) of the tensor called `name`, all integers modulo 2^64:
//   z = (fnv1a64(name) ^ (seed * 0x9E3779B97F4A7C15)) + i          fnv1a64: offset 0xCBF29CE484222325, prime
//   0x100000001B3 z = z + 0x9E3779B97F4A7C15                                      from here on: splitmix64 z = (z ^ (z
//   >> 30)) * 0xBF58476D1CE4E5B9 z = (z ^ (z >> 27)) * 0x94D049BB133111EB r = z ^ (z >> 31) n = (double(sum of the four
//   16-bit lanes of r) / 65536 - 2) * sqrt(3)      in float64: mean 0, variance 1 value = mean + scale * n float64,
//   rounded to float32, then to the file's type
// Mean and scale follow from the name; the first line that fits:
//   rank 1, ends in ".weight" (a norm)                                     mean 1, scale 0.1
//   rank 1 (a bias)                                                        mean 0, scale 0.1
//   ...token_embedding.weight                                              mean 0, scale 0.5
//   ...position_embedding.weight                                           mean 0, scale 0.1
//   ....embedding.weight (classes, codebook)                               mean 0, scale 1
//   last module out_layers.3, conv2, to_out.0, ff.net.2, proj_out, fc2, out_proj
//                                                                          mean 0, scale 0.5 / sqrt(fan in)
//   last module to_q, to_k, q_proj, k_proj, q, k                           mean 0, scale 1.25 / sqrt(fan in)
//   model.diffusion_model.out.2, first_stage_model.decoder.conv_out, conv_out (the whole name)
//                                                                          mean 0, scale 0.3 / sqrt(fan in)
//   any other                                                              mean 0, scale 1 / sqrt(fan in)
// Fan in is the product of all sizes but the first. No branch is nearly zero and no norm is an identity, so that a
// fault in any of them shows in the output.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string_view>

namespace refrain::diffusion {

/// Mean and standard deviation of a tensor's elements.
struct Distribution {
  double mean = 0;
  double scale = 1;
};

Distribution weight_distribution(std::string_view name, at::IntArrayRef shape);

/// The tensor itself, on the CPU.
at::Tensor random_weight(std::string_view name, at::IntArrayRef shape, at::ScalarType dtype, std::uint64_t seed);

}  // namespace refrain::diffusion
