// Safetensors files, mapped: github.com/huggingface/safetensors, safetensors/src/tensor.rs.

#include "weights/safetensors.hpp"

#include "weights/ema_weights.hpp"
#include "weights/file_format.hpp"
#include "weights/read_order.hpp"
#include "weights/safetensors_header.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <refrain/diffusion/error.hpp>
#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

class SafetensorsFile final : public WeightSource {
 public:
  explicit SafetensorsFile(std::shared_ptr<const MappedFile> file)
      : file_(std::move(file)), header_(read_safetensors_header({file_->data(), file_->size()}, file_->name())) {
    for (const auto& [name, entry] : header_.tensors) infos_.emplace_hint(infos_.end(), name, entry.info);
  }

  const std::string& name() const override { return file_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return infos_; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return header_.metadata; }

  at::Tensor tensor(std::string_view name) const override {
    const SafetensorsEntry& entry = find(name);
    const auto options = at::TensorOptions().dtype(entry.info.dtype);
    const std::byte* data = file_->data() + entry.offset;
    // Old and foreign writers align nothing.
    if (entry.bytes == 0 || reinterpret_cast<std::uintptr_t>(data) % at::elementSize(entry.info.dtype) != 0) {
      at::Tensor copy = at::empty(entry.info.shape, options);
      if (entry.bytes > 0) std::memcpy(copy.mutable_data_ptr(), data, entry.bytes);
      return copy;
    }
    return at::from_blob(
        const_cast<std::byte*>(data), entry.info.shape, [keep = file_](void*) {}, options);
  }

  void give_back(std::string_view name) const override {
    const SafetensorsEntry& entry = find(name);
    file_->give_back(entry.offset, entry.bytes);
  }
  void read_ahead() const override {
    std::vector<FilePart> parts;
    for (const auto& [name, entry] : header_.tensors) {
      if (!is_average(name)) parts.push_back({entry.offset, entry.bytes, is_wanted_late(entry.info)});
    }
    file_->read_ahead(std::move(parts));
  }

 private:
  const SafetensorsEntry& find(std::string_view name) const {
    const auto place = header_.tensors.find(name);
    if (place == header_.tensors.end()) {
      throw ModelError("weight_missing", file_->name() + " has no tensor '" + std::string(name) + "'");
    }
    return place->second;
  }

  std::shared_ptr<const MappedFile> file_;
  SafetensorsHeader header_;
  std::map<std::string, TensorInfo, std::less<>> infos_;
};

}  // namespace

std::shared_ptr<const WeightSource> open_safetensors(std::shared_ptr<const MappedFile> file) {
  return std::make_shared<const SafetensorsFile>(std::move(file));
}

std::shared_ptr<const WeightSource> open_safetensors(const std::filesystem::path& path) {
  auto file = std::make_shared<const MappedFile>(path);
  if (recognise_format({file->data(), file->size()}, file->name()) != FileFormat::safetensors) {
    throw ModelError("model_file_unsupported",
                     file->name() + " is a PyTorch checkpoint where a safetensors file is needed; convert it");
  }
  return open_safetensors(std::move(file));
}

}  // namespace refrain::diffusion
