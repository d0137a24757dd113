// The noise that a run starts from. Follows comfy/sample.py (prepare_noise).

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/sampling.hpp>

#include <algorithm>
#include <map>

namespace refrain::diffusion {

namespace {

constexpr std::int64_t kLargestBatchIndex = 1'000'000;  // each one below it is a draw

void check_batch_index(const std::vector<std::int64_t>& batch_index, at::IntArrayRef shape) {
  if (static_cast<std::int64_t>(batch_index.size()) != shape.front()) {
    throw ShapeError("bad_batch_index", "a latent of " + std::to_string(shape.front()) +
                                            " pictures has a batch index of " + std::to_string(batch_index.size()));
  }
  for (const std::int64_t index : batch_index) {
    if (index < 0 || index > kLargestBatchIndex) {
      throw ShapeError("bad_batch_index", "the batch index " + std::to_string(index) + " is not in 0.." +
                                              std::to_string(kLargestBatchIndex));
    }
  }
}

}  // namespace

at::Tensor make_noise(at::IntArrayRef shape, std::uint64_t seed,
                      const std::optional<std::vector<std::int64_t>>& batch_index) {
  if (shape.empty() || shape.front() < 1) throw ShapeError("bad_latent", "noise is for at least one picture");
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  if (!batch_index) return at::randn(shape, generator, at::TensorOptions(at::kFloat));

  // A picture's noise is that of its place in the batch that it was first drawn in: all before it are drawn, too.
  check_batch_index(*batch_index, shape);
  std::vector<std::int64_t> one(shape.begin(), shape.end());
  one.front() = 1;
  std::map<std::int64_t, at::Tensor> drawn;
  for (const std::int64_t index : *batch_index) drawn.emplace(index, at::Tensor());
  for (std::int64_t i = 0; i <= drawn.rbegin()->first; ++i) {
    const at::Tensor noise = at::randn(one, generator, at::TensorOptions(at::kFloat));
    if (const auto wanted = drawn.find(i); wanted != drawn.end()) wanted->second = noise;
  }
  std::vector<at::Tensor> picked;
  for (const std::int64_t index : *batch_index) picked.push_back(drawn.at(index));
  return at::cat(picked);
}

}  // namespace refrain::diffusion
