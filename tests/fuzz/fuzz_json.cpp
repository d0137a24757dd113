// Configurations and indices of shards.

#include "fuzz/reading.hpp"
#include "weights/json_fields.hpp"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  refrain::fuzz::answered([&] { refrain::diffusion::read_json_fields(text, "file"); });
  return refrain::fuzz::answered([&] { refrain::diffusion::read_json_fields(text, "file", "weight_map"); });
}
