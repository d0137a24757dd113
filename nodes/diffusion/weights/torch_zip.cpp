// Torch checkpoints since 1.6: torch/serialization.py, _save and _load; caffe2/serialize/inline_container.cc.

#include "weights/pickle_reader.hpp"
#include "weights/quoted.hpp"
#include "weights/torch_tensors.hpp"

#include <refrain/diffusion/error.hpp>

#include <string>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

using pickle::Values;

class ZipCheckpoint {
 public:
  ZipCheckpoint(const ZipArchive& archive, std::span<const std::byte> file, const std::string& name)
      : archive_(archive), file_(file), name_(name) {}

  TorchContents read(std::optional<bool> use_ema) {
    const ZipEntry& entry = find_pickle();
    if (archive_.find(folder_ + "constants.pkl") != nullptr) {
      unsupported("is a TorchScript program, not a checkpoint; save its state_dict() with torch.save");
    }
    TorchContents contents;
    contents.big_endian = is_big_endian();
    std::vector<std::byte> unpacked;
    const std::span<const std::byte> bytes = pickle_bytes(entry, unpacked);
    Values values(pickle_memory(file_.size()), name_);
    std::size_t at = 0;
    const pickle::Ref root = pickle::read_pickle(bytes, at, values);
    const RunsByKey runs = find_storages(values, contents);
    collect_tensors(values, root, runs, file_.size(), use_ema, contents);
    return contents;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw ModelError("model_file_damaged", name_ + " is not a sound torch checkpoint: " + what + "; download it again");
  }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw ModelError("model_file_unsupported", name_ + " " + what);
  }

  /// The pickle stands in a folder of any name, or at the top.
  const ZipEntry& find_pickle() {
    constexpr std::string_view kPickle = "data.pkl";
    const ZipEntry* found = nullptr;
    for (const ZipEntry& entry : archive_.entries()) {
      if (!entry.name.ends_with(kPickle)) continue;
      const std::string_view folder = entry.name.substr(0, entry.name.size() - kPickle.size());
      if (!folder.empty() && folder.find('/') != folder.size() - 1) continue;
      if (found != nullptr) damaged("it has two files called data.pkl");
      found = &entry;
      folder_ = folder;
    }
    if (found == nullptr) {
      unsupported("is a zip archive without the data.pkl of a torch checkpoint; choose the model file itself");
    }
    return *found;
  }

  std::span<const std::byte> pickle_bytes(const ZipEntry& entry, std::vector<std::byte>& unpacked) const {
    if (!entry.deflated) return archive_.stored(entry);
    if (entry.size > pickle_memory(file_.size())) {
      unsupported("unpacks to more than the file's size, as a zip bomb does; get it from another source");
    }
    unpacked.resize(entry.size);
    archive_.unpack(entry, unpacked);
    return unpacked;
  }

  bool is_big_endian() const {
    const ZipEntry* entry = archive_.find(folder_ + "byteorder");
    if (entry == nullptr) return false;
    std::string order(std::min<std::size_t>(entry->size, 8), '\0');
    if (order.size() == entry->size) {
      archive_.unpack(*entry, {reinterpret_cast<std::byte*>(order.data()), order.size()});
    }
    if (order != "little" && order != "big") damaged("its byte order is neither little nor big");
    return order == "big";
  }

  RunsByKey find_storages(Values& values, TorchContents& contents) const {
    constexpr std::size_t kLongestKey = 1024;
    constexpr std::size_t kEntryBytes = 256;  // in the map, and of the run
    RunsByKey runs;
    for (std::size_t i = 0; i < values.storages(); ++i) {
      const pickle::Storage& storage = values.storage(i);
      const std::size_t bytes = storage_bytes(values, storage);
      auto place = runs.find(storage.key);
      if (place == runs.end()) {
        if (storage.key.size() > kLongestKey) damaged("a storage's key is too long");
        const ZipEntry* entry = archive_.find(folder_ + "data/" + std::string(storage.key));
        if (entry == nullptr) damaged("the storage " + in_quotes(storage.key) + " is missing");
        values.charge(kEntryBytes);
        place = runs.emplace(storage.key, contents.runs.size()).first;
        contents.runs.push_back({entry->offset, entry->size, std::nullopt});
        if (entry->deflated) contents.runs.back().deflated = *entry;
      }
      if (contents.runs[place->second].bytes != bytes) {
        damaged("the storage " + in_quotes(storage.key) + " has " + std::to_string(contents.runs[place->second].bytes) +
                " bytes where " + std::to_string(bytes) + " belong");
      }
    }
    return runs;
  }

  const ZipArchive& archive_;
  std::span<const std::byte> file_;
  const std::string& name_;
  std::string folder_;
};

}  // namespace

TorchContents read_torch_zip(const ZipArchive& archive, std::span<const std::byte> file, const std::string& name,
                             std::optional<bool> use_ema) {
  return ZipCheckpoint(archive, file, name).read(use_ema);
}

}  // namespace refrain::diffusion
