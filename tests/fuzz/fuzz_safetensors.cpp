// Headers of safetensors files.

#include "fuzz/reading.hpp"
#include "weights/safetensors_header.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return refrain::fuzz::answered([&] {
    const auto header = refrain::diffusion::read_safetensors_header(refrain::fuzz::bytes_of(data, size), "file");
    for (const auto& [name, entry] : header.tensors) {
      if (entry.offset > size || entry.bytes > size - entry.offset) __builtin_trap();
    }
  });
}
