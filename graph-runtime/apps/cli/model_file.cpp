#include "model_file.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "json/json_document.hpp"

namespace refrain::cli {
namespace {

constexpr std::uint64_t kLargestHeader = std::uint64_t{100} << 20;  // safetensors' own limit

struct TensorEntry {
  std::string name;
  std::string dtype;
  std::vector<std::int64_t> shape;
  std::uint64_t bytes = 0;
};

std::int64_t whole(JsonView value) {
  if (value.is(JsonKind::integer)) return value.integer();
  if (value.is(JsonKind::unsigned_integer)) return static_cast<std::int64_t>(value.unsigned_integer());
  return -1;
}

/// The header's text. Throws Error (bad_header).
std::string read_header(const std::filesystem::path& path, std::uint64_t size) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 8> length{};
  file.read(reinterpret_cast<char*>(length.data()), length.size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < length.size(); ++i) bytes |= std::uint64_t{length[i]} << (8 * i);
  if (!file || bytes < 2 || bytes > kLargestHeader || bytes > size - length.size()) {
    throw Error("bad_header", "is no safetensors file, or a damaged one");
  }
  std::string text(bytes, '\0');
  file.read(text.data(), static_cast<std::streamsize>(bytes));
  if (!file) throw Error("bad_header", "can't be read");
  return text;
}

std::vector<TensorEntry> read_tensors(const std::string& header) {
  std::vector<TensorEntry> tensors;
  const JsonDocument document = JsonDocument::parse(header, "header");
  if (!document.root().is(JsonKind::object)) throw Error("bad_header", "has a header that is no object");
  for (const JsonView value : document.root()) {
    if (value.key() == "__metadata__" || !value.is(JsonKind::object)) continue;
    TensorEntry tensor;
    tensor.name = value.key();
    if (const auto dtype = value.find("dtype"); dtype && dtype->is(JsonKind::string)) tensor.dtype = dtype->string();
    if (const auto shape = value.find("shape"); shape && shape->is(JsonKind::array)) {
      for (const JsonView side : *shape) tensor.shape.push_back(whole(side));
    }
    if (const auto offsets = value.find("data_offsets");
        offsets && offsets->is(JsonKind::array) && offsets->size() == 2) {
      const std::int64_t begin = whole(*offsets->begin()), end = whole(*++offsets->begin());
      if (begin >= 0 && end >= begin) tensor.bytes = static_cast<std::uint64_t>(end - begin);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

std::string dtype_of(const std::vector<TensorEntry>& tensors) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kNames{
      {{"F32", "fp32"}, {"F16", "fp16"}, {"BF16", "bf16"}, {"F64", "fp64"}, {"F8_E4M3", "fp8"}}};
  std::map<std::string, std::uint64_t> bytes;
  for (const TensorEntry& tensor : tensors) bytes[tensor.dtype] += tensor.bytes;
  const auto most =
      std::max_element(bytes.begin(), bytes.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  if (most == bytes.end()) return {};
  for (const auto& [name, shown] : kNames) {
    if (most->first == name) return std::string(shown);
  }
  return most->first;
}

/// The last side of the first tensor whose name ends so.
std::optional<std::int64_t> width_at(const std::vector<TensorEntry>& tensors, std::string_view ending) {
  for (const TensorEntry& tensor : tensors) {
    if (tensor.name.ends_with(ending) && tensor.shape.size() >= 2) return tensor.shape[1];
  }
  return {};
}

bool any(const std::vector<TensorEntry>& tensors, bool (*is)(std::string_view)) {
  return std::any_of(tensors.begin(), tensors.end(), [&](const TensorEntry& tensor) { return is(tensor.name); });
}

/// The family by the width of the text that cross-attention reads: CLIP-L 768, OpenCLIP-H 1024, both of SDXL's 2048.
std::string family_by_width(std::optional<std::int64_t> width) {
  switch (width.value_or(0)) {
    case 768: return "SD 1.x";
    case 1024: return "SD 2.x";
    case 1280: return "SDXL refiner";
    case 2048: return "SDXL";
    default: return "unknown";
  }
}

/// The text encoder tells more than the width, which a small model may have of its own.
std::string model_family(const std::vector<TensorEntry>& tensors, std::optional<std::int64_t> context) {
  if (any(tensors, [](std::string_view n) { return n.starts_with("conditioner.embedders.1."); })) return "SDXL";
  if (any(tensors, [](std::string_view n) { return n.starts_with("conditioner."); })) return "SDXL refiner";
  if (any(tensors, [](std::string_view n) { return n.starts_with("cond_stage_model.model."); })) return "SD 2.x";
  if (any(tensors, [](std::string_view n) { return n.starts_with("cond_stage_model.transformer."); })) return "SD 1.x";
  if (any(tensors, [](std::string_view n) { return n.starts_with("cond_stage_model.embedding."); }))
    return "LDM by class";
  return family_by_width(context);
}

std::string lora_family(const std::vector<TensorEntry>& tensors) {
  for (const char* ending :
       {"attn2_to_k.lora_down.weight", "attn2.to_k.lora_A.weight", "attn2.to_k.lora.down.weight"}) {
    if (const auto width = width_at(tensors, ending)) return "LoRA for " + family_by_width(width);
  }
  return "LoRA";
}

std::string family_of(const std::vector<TensorEntry>& tensors) {
  if (any(tensors, [](std::string_view n) {
        return n.find(".lora_up.") != n.npos || n.find(".lora_A.") != n.npos || n.find(".lora.up.") != n.npos;
      })) {
    return lora_family(tensors);
  }
  const auto context = width_at(tensors, "attn2.to_k.weight");
  if (any(tensors, [](std::string_view n) {
        return n.find("input_hint_block.") != n.npos || n.starts_with("controlnet_cond_embedding.");
      })) {
    return "ControlNet for " + family_by_width(context);
  }
  if (context) {
    const auto channels = width_at(tensors, "input_blocks.0.0.weight");
    const bool whole_model = any(tensors, [](std::string_view n) { return n.starts_with("first_stage_model."); });
    return model_family(tensors, context) + (channels == 9 ? " inpainting" : "") + (whole_model ? "" : " U-Net");
  }
  if (any(tensors, [](std::string_view n) { return n.starts_with("mid.block_1."); })) return "DDPM";
  if (any(tensors, [](std::string_view n) { return n.ends_with("decoder.conv_in.weight"); })) return "VAE";
  if (const auto width = width_at(tensors, "token_embedding.weight")) {
    return *width == 768 ? "CLIP-L" : *width == 1024 ? "CLIP-H" : *width == 1280 ? "CLIP-bigG" : "CLIP";
  }
  if (tensors.size() <= 2 && !tensors.empty() && tensors.front().shape.size() == 2) {
    return "embedding for " + family_by_width(tensors.front().shape[1]);
  }
  return "unknown";
}

}  // namespace

ModelFile describe_model_file(const std::filesystem::path& file) {
  ModelFile model;
  std::error_code error;
  model.bytes = std::filesystem::file_size(file, error);
  if (error) {
    model.bytes = 0;
    model.family = "unknown";
    model.problem = error.message();
    return model;
  }
  const std::string extension = file.extension().string();
  if (extension != ".safetensors" && extension != ".sft") {
    model.family = "pickle";
    return model;
  }
  try {
    const std::vector<TensorEntry> tensors = read_tensors(read_header(file, model.bytes));
    model.family = family_of(tensors);
    model.dtype = dtype_of(tensors);
  } catch (const Error& problem) {
    model.family = "unknown";
    model.problem = problem.what();
  }
  return model;
}

}  // namespace refrain::cli
