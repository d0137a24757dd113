#include "weights/torch_checkpoint.hpp"

#include "weights/ema_weights.hpp"
#include "weights/read_order.hpp"
#include "weights/torch_contents.hpp"

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

std::span<const std::byte> bytes_of(const MappedFile& file) { return {file.data(), file.size()}; }

class TorchFile final : public WeightSource {
 public:
  TorchFile(std::shared_ptr<const MappedFile> file, std::optional<ZipArchive> archive, TorchContents contents)
      : file_(std::move(file)), archive_(std::move(archive)), contents_(std::move(contents)) {}

  const std::string& name() const override { return file_->name(); }
  const std::map<std::string, TensorInfo, std::less<>>& tensors() const override { return contents_.tensors; }
  const std::map<std::string, std::string, std::less<>>& metadata() const override { return contents_.metadata; }

  at::Tensor tensor(std::string_view name) const override {
    const StoredView& view = find(name);
    const TensorInfo& info = contents_.tensors.find(name)->second;
    const StoredRun& run = contents_.runs[view.run];
    const std::size_t item = at::elementSize(info.dtype);
    const std::size_t begin = static_cast<std::size_t>(view.begin) * item;
    const std::size_t bytes = static_cast<std::size_t>(view.extent) * item;
    const std::byte* data = file_->data() + run.offset + begin;
    if (!run.deflated && bytes > 0 && !contents_.big_endian && reinterpret_cast<std::uintptr_t>(data) % item == 0) {
      return view_of(const_cast<std::byte*>(data), info, view, file_);
    }
    at::Tensor buffer = at::empty({static_cast<std::int64_t>(run.deflated ? run.bytes : bytes)}, at::kByte);
    auto* copy = static_cast<std::byte*>(buffer.mutable_data_ptr());
    if (run.deflated) {
      archive_->unpack(*run.deflated, {copy, run.bytes});
      copy += begin;
    } else if (bytes > 0) {
      std::memcpy(copy, data, bytes);
    }
    if (contents_.big_endian) swap_bytes({copy, bytes}, item);
    return view_of(copy, info, view, buffer);
  }

  void give_back(std::string_view name) const override {
    const StoredView& view = find(name);
    const StoredRun& run = contents_.runs[view.run];
    if (run.deflated) return;
    const std::size_t item = at::elementSize(contents_.tensors.find(name)->second.dtype);
    file_->give_back(run.offset + static_cast<std::size_t>(view.begin) * item,
                     static_cast<std::size_t>(view.extent) * item);
  }
  void read_ahead() const override {
    std::vector<FilePart> parts;
    for (const auto& [name, view] : contents_.views) {
      const StoredRun& run = contents_.runs[view.run];
      if (is_average(name)) continue;
      const std::size_t bytes = run.deflated ? run.deflated->packed : run.bytes;
      parts.push_back({run.offset, bytes, is_wanted_late(contents_.tensors.find(name)->second)});
    }
    file_->read_ahead(std::move(parts));
  }

 private:
  /// A tensor over memory that `keep` holds; a copy of it where its elements don't lie in order.
  template <class Keep>
  static at::Tensor view_of(std::byte* data, const TensorInfo& info, const StoredView& view, Keep keep) {
    const auto options = at::TensorOptions().dtype(info.dtype);
    const auto hold = [keep = std::move(keep)](void*) {};
    if (view.strides.empty()) return at::from_blob(data, info.shape, hold, options);
    return at::from_blob(data, info.shape, view.strides, hold, options).contiguous();
  }

  static void swap_bytes(std::span<std::byte> bytes, std::size_t item) {
    for (std::size_t i = 0; i + item <= bytes.size(); i += item) {
      std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                   bytes.begin() + static_cast<std::ptrdiff_t>(i + item));
    }
  }

  const StoredView& find(std::string_view name) const {
    const auto place = contents_.views.find(name);
    if (place == contents_.views.end()) {
      throw ModelError("weight_missing", file_->name() + " has no tensor '" + std::string(name) + "'");
    }
    return place->second;
  }

  std::shared_ptr<const MappedFile> file_;
  std::optional<ZipArchive> archive_;
  TorchContents contents_;
};

TorchCheckpoint make(std::shared_ptr<const MappedFile> file, std::optional<ZipArchive> archive,
                     TorchContents contents) {
  const bool averaged = contents.averaged;
  return {std::make_shared<const TorchFile>(std::move(file), std::move(archive), std::move(contents)), averaged};
}

}  // namespace

TorchCheckpoint open_torch_zip(std::shared_ptr<const MappedFile> file, const WeightOptions& options) {
  ZipArchive archive(bytes_of(*file), file->name());
  TorchContents contents = read_torch_zip(archive, bytes_of(*file), file->name(), options.use_ema);
  return make(std::move(file), std::move(archive), std::move(contents));
}

TorchCheckpoint open_torch_legacy(std::shared_ptr<const MappedFile> file, const WeightOptions& options) {
  TorchContents contents = read_torch_legacy(bytes_of(*file), file->name(), options.use_ema);
  return make(std::move(file), std::nullopt, std::move(contents));
}

}  // namespace refrain::diffusion
