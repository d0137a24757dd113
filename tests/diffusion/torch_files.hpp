#pragma once
// Torch checkpoints made byte by byte, sound ones and others.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion::testing {

/// `value`'s bytes, the lowest first.
template <class T>
std::string little_endian(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(T)};
}

/// Opcodes of a pickle, one after the other.
class Pickle {
 public:
  explicit Pickle(int protocol = 2) : bytes_{'\x80', static_cast<char>(protocol)} {}

  Pickle& raw(std::string_view bytes) {
    bytes_ += bytes;
    return *this;
  }
  Pickle& mark() { return raw("("); }
  Pickle& text(std::string_view text) {
    return raw("X").raw(little_endian(static_cast<std::uint32_t>(text.size()))).raw(text);
  }
  Pickle& integer(std::int64_t number) { return raw("\x8a\x08").raw(little_endian(number)); }
  Pickle& integers(const std::vector<std::int64_t>& numbers) {
    mark();
    for (const std::int64_t number : numbers) integer(number);
    return raw("t");
  }
  Pickle& global(std::string_view module, std::string_view name) {
    return raw("c").raw(module).raw("\n").raw(name).raw("\n");
  }
  /// A storage: ("storage", torch.<type>Storage, key, "cpu", elements) as a persistent id.
  Pickle& storage(std::string_view type, std::string_view key, std::int64_t elements) {
    mark().text("storage").global("torch", std::string(type) + "Storage").text(key).text("cpu").integer(elements);
    return raw("tQ");
  }
  /// torch._utils._rebuild_tensor_v2 of a whole storage, or of a part of it.
  Pickle& tensor(std::string_view type, std::string_view key, std::int64_t elements,
                 const std::vector<std::int64_t>& sizes, const std::vector<std::int64_t>& strides,
                 std::int64_t offset = 0) {
    global("torch._utils", "_rebuild_tensor_v2").mark().storage(type, key, elements).integer(offset);
    integers(sizes).integers(strides).raw("\x89").global("collections", "OrderedDict");
    return raw(")RtR");
  }
  /// A vector of float32 that is all of the storage `key`.
  Pickle& floats(std::string_view key, std::int64_t elements) {
    return tensor("Float", key, elements, {elements}, {1});
  }
  /// The whole pickle.
  std::string end() const { return bytes_ + "."; }

 private:
  std::string bytes_;
};

/// One entry of a zip archive, with what its two headers say.
struct ZipPart {
  std::string name;
  std::string data;  ///< as it stands in the archive
  std::uint16_t method = 0;
  std::uint64_t size = 0;     ///< unpacked; the data's where 0
  std::uint16_t padding = 0;  ///< bytes of extra field in the local header
  std::uint16_t flags = 0;
  std::optional<std::uint32_t> crc = std::nullopt;  ///< the data's where there is none
};

/// An archive of these entries, as torch.save writes them (with the records for large files, or without).
std::string zip_archive(const std::vector<ZipPart>& parts, bool zip64 = true);
/// An entry of these data, deflated.
ZipPart deflated(std::string name, std::string_view data);

/// A checkpoint in the zip form: the pickle and its storages, "0", "1", ...
std::string torch_zip(const std::string& pickle, const std::vector<std::string>& storages);
/// A checkpoint in the form before torch 1.6. `counts`: elements of each storage.
std::string torch_legacy(const std::string& pickle, const std::vector<std::string>& storages,
                         const std::vector<std::int64_t>& counts);

using Tensors = std::map<std::string, at::Tensor, std::less<>>;
using Texts = std::map<std::string, std::string, std::less<>>;

/// {"state_dict": tensors, notes...} as a file in the zip form, or in the form before torch 1.6.
void write_torch_checkpoint(const std::filesystem::path& file, const Tensors& tensors, const Texts& notes,
                            bool legacy = false);

}  // namespace refrain::diffusion::testing
