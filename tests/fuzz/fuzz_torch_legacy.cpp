// Torch checkpoints of before 1.6.

#include "fuzz/contents.hpp"
#include "fuzz/reading.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return refrain::fuzz::answered([&] {
    refrain::fuzz::check(
        refrain::diffusion::read_torch_legacy(refrain::fuzz::bytes_of(data, size), "file", std::nullopt), size);
  });
}
