// Torch checkpoints of before 1.6: torch/serialization.py, _legacy_save and _legacy_load.

#include "weights/pickle_reader.hpp"
#include "weights/torch_tensors.hpp"

#include <refrain/diffusion/error.hpp>

#include <cstring>
#include <string>
#include <string_view>

namespace refrain::diffusion {
namespace {

using pickle::Kind;
using pickle::Ref;
using pickle::Values;

constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  // 0x1950a86a20f9469cfc6c
constexpr std::int64_t kProtocol = 1001;

class LegacyCheckpoint {
 public:
  LegacyCheckpoint(std::span<const std::byte> file, const std::string& name)
      : file_(file), name_(name), values_(pickle_memory(file.size()), name) {}

  TorchContents read(std::optional<bool> use_ema) {
    check_begin();
    pickle::read_pickle(file_, at_, values_);  // the writer's system: storages are little-endian on all
    const Ref root = pickle::read_pickle(file_, at_, values_);
    const Ref keys = pickle::read_pickle(file_, at_, values_);
    if (!values_.is(keys, Kind::list)) damaged("its list of storages is none");
    TorchContents contents;
    const RunsByKey runs = find_storages(keys, contents);
    collect_tensors(values_, root, runs, file_.size(), use_ema, contents);
    return contents;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw ModelError("model_file_damaged", name_ + " is not a sound torch checkpoint: " + what + "; download it again");
  }

  void check_begin() {
    const Ref magic = pickle::read_pickle(file_, at_, values_);
    if (!values_.is(magic, Kind::big_integer) || values_[magic].text != kMagic) {
      throw ModelError("model_file_unsupported",
                       name_ + " is a pickle that torch.save didn't write; save the model's state_dict() with it");
    }
    const Ref protocol = pickle::read_pickle(file_, at_, values_);
    if (!values_.is(protocol, Kind::integer) || values_[protocol].integer != kProtocol) {
      damaged("its protocol is not 1001");
    }
  }

  struct Expected {
    std::size_t bytes = 0;
    std::int64_t elements = 0;
  };

  /// What the tensors say of each storage: behind the pickles only counts of elements stand.
  std::map<std::string_view, Expected> expected_storages() {
    constexpr std::size_t kEntryBytes = 96;
    std::map<std::string_view, Expected> expected;
    for (std::size_t i = 0; i < values_.storages(); ++i) {
      const pickle::Storage& storage = values_.storage(i);
      const Expected found{storage_bytes(values_, storage), storage.elements};
      const auto [place, fresh] = expected.emplace(storage.key, found);
      if (fresh) values_.charge(kEntryBytes);
      if (place->second.bytes != found.bytes || place->second.elements != found.elements) {
        damaged("a storage has two sizes");
      }
    }
    return expected;
  }

  RunsByKey find_storages(Ref keys, TorchContents& contents) {
    constexpr std::size_t kEntryBytes = 256;
    const auto expected = expected_storages();
    RunsByKey runs;
    for (const Ref key : values_.items(keys)) {
      if (!values_.is(key, Kind::text)) damaged("a storage's key is no text");
      const std::string_view text = values_[key].text;
      const auto place = expected.find(text);
      if (place == expected.end()) damaged("a storage that belongs to no tensor");
      std::int64_t count = 0;
      if (file_.size() - at_ < sizeof(count)) truncated(sizeof(count));
      std::memcpy(&count, file_.data() + at_, sizeof(count));
      at_ += sizeof(count);
      if (count != place->second.elements) damaged("a storage has another size than its tensors say");
      if (place->second.bytes > file_.size() - at_) truncated(place->second.bytes);
      values_.charge(kEntryBytes);
      if (!runs.emplace(text, contents.runs.size()).second) damaged("a storage stands there twice");
      contents.runs.push_back({at_, place->second.bytes, std::nullopt});
      at_ += place->second.bytes;
    }
    if (runs.size() != expected.size()) damaged("a storage is missing");
    if (at_ != file_.size()) damaged(std::to_string(file_.size() - at_) + " bytes follow its last storage");
    return runs;
  }

  [[noreturn]] void truncated(std::size_t needed) const {
    throw ModelError("model_file_truncated", name_ + " is cut short: a storage needs " + std::to_string(needed) +
                                                 " bytes and there are " + std::to_string(file_.size() - at_) +
                                                 "; download it again");
  }

  std::span<const std::byte> file_;
  const std::string& name_;
  Values values_;
  std::size_t at_ = 0;
};

}  // namespace

TorchContents read_torch_legacy(std::span<const std::byte> file, const std::string& name, std::optional<bool> use_ema) {
  return LegacyCheckpoint(file, name).read(use_ema);
}

}  // namespace refrain::diffusion
