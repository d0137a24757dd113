#include "weights/safetensors_header.hpp"

#include "weights/quoted.hpp"
#include "weights/safetensors_dtype.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::diffusion {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors data is little-endian");

constexpr std::size_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeader = 100'000'000;  // the reference reader's own limit
constexpr std::size_t kMaxRank = 16;

/// Limits of ours, far above any model: with them a hostile header takes no more memory than the file has.
struct Limits {
  explicit Limits(std::size_t file)
      : tensors(std::min<std::size_t>(100'000, 2048 + file / 400)),
        notes(std::min<std::size_t>(100'000, 2048 + file / 100)),
        string(std::clamp<std::size_t>(file / 8, std::size_t{1} << 19U, std::size_t{1} << 23U)) {}

  std::size_t tensors;
  std::size_t notes;   ///< members of __metadata__
  std::size_t string;  ///< bytes of one
};

/// What stands between the braces of one tensor's entry.
struct RawEntry {
  std::string name;
  std::optional<std::string> dtype;
  std::optional<std::vector<std::uint64_t>> shape;
  std::optional<std::vector<std::uint64_t>> offsets;
};

/// Takes nlohmann's SAX events; nothing of the document is kept but the entries. A false return stops the parser.
class HeaderHandler final : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderHandler(const Limits& limits, std::vector<RawEntry>& entries,
                std::map<std::string, std::string, std::less<>>& metadata)
      : limits_(limits), entries_(entries), metadata_(metadata) {}

  const std::string& problem() const { return problem_; }

  bool start_object(std::size_t) override {
    if (place_ == Place::outside) return go(Place::header);
    if (place_ != Place::header) return refuse("an object where a value was expected");
    if (key_ == "__metadata__") {
      if (std::exchange(has_metadata_, true)) return refuse("__metadata__ stands there twice");
      return go(Place::metadata);
    }
    if (entries_.size() >= limits_.tensors) {
      return refuse("more than " + std::to_string(limits_.tensors) + " tensors in a file of this size");
    }
    entries_.push_back({std::move(key_), {}, {}, {}});
    return go(Place::entry);
  }
  bool end_object() override { return go(place_ == Place::header ? Place::outside : Place::header); }
  bool start_array(std::size_t) override {
    if (place_ != Place::entry) return refuse("an array where none belongs");
    if (key_ == "shape") return begin_numbers(entries_.back().shape);
    if (key_ == "data_offsets") return begin_numbers(entries_.back().offsets);
    return refuse("an array for " + in_quotes(key_));
  }
  bool end_array() override { return go(Place::entry); }
  bool key(std::string& name) override {
    key_ = std::move(name);
    return true;
  }
  bool string(std::string& value) override {
    if (place_ == Place::metadata) {
      if (metadata_.size() >= limits_.notes) {
        return refuse("more than " + std::to_string(limits_.notes) + " notes in a file of this size");
      }
      if (metadata_.emplace(std::move(key_), std::move(value)).second) return true;
      return refuse("a key of __metadata__ stands there twice");
    }
    if (place_ != Place::entry || key_ != "dtype") return refuse("a string where none belongs");
    if (entries_.back().dtype) return refuse("two dtypes for " + in_quotes(entries_.back().name));
    entries_.back().dtype = std::move(value);
    return true;
  }
  bool number_unsigned(std::uint64_t value) override {
    if (place_ != Place::numbers) return refuse("a number where none belongs");
    if (numbers_->size() >= kMaxRank) return refuse("more than " + std::to_string(kMaxRank) + " dimensions");
    numbers_->push_back(value);
    return true;
  }
  bool number_integer(std::int64_t) override { return refuse("a negative number"); }
  bool number_float(double, const std::string&) override { return refuse("a number that isn't a whole one"); }
  bool null() override { return refuse("null where a value was expected"); }
  bool boolean(bool) override { return refuse("true or false where a value was expected"); }
  bool binary(binary_t&) override { return refuse("binary data"); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    return refuse("not valid JSON in UTF-8 at byte " + std::to_string(position));
  }

 private:
  enum class Place { outside, header, metadata, entry, numbers };

  bool go(Place place) {
    place_ = place;
    return true;
  }
  bool refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }
  bool begin_numbers(std::optional<std::vector<std::uint64_t>>& numbers) {
    if (numbers) return refuse("two of " + in_quotes(key_) + " for " + in_quotes(entries_.back().name));
    numbers_ = &numbers.emplace();
    return go(Place::numbers);
  }

  const Limits& limits_;
  std::vector<RawEntry>& entries_;
  std::map<std::string, std::string, std::less<>>& metadata_;
  std::vector<std::uint64_t>* numbers_ = nullptr;
  std::string key_;
  std::string problem_;
  Place place_ = Place::outside;
  bool has_metadata_ = false;
};

class HeaderReader {
 public:
  HeaderReader(std::span<const std::byte> file, const std::string& name)
      : file_(file), name_(name), limits_(file.size()) {}

  SafetensorsHeader read() {
    const std::string_view json = find_json();
    check_lengths(json);
    SafetensorsHeader header;
    std::vector<RawEntry> entries;
    HeaderHandler handler(limits_, entries, header.metadata);
    if (!nlohmann::json::sax_parse(json.begin(), json.end(), &handler)) damaged("its header: " + handler.problem());
    for (RawEntry& raw : entries) {
      SafetensorsEntry entry = check(raw);
      const auto [place, is_new] = header.tensors.emplace(std::move(raw.name), std::move(entry));
      if (!is_new) damaged("tensor " + in_quotes(place->first) + " stands there twice");
    }
    check_layout(header);
    return header;
  }

 private:
  [[noreturn]] void damaged(const std::string& what) const {
    throw ModelError("model_file_damaged", name_ + " is not a sound safetensors file: " + what + "; download it again");
  }

  std::string_view find_json() {
    if (file_.size() < kLengthBytes) truncated(kLengthBytes);
    std::uint64_t length = 0;
    std::memcpy(&length, file_.data(), kLengthBytes);
    if (length > kMaxHeader) {
      damaged("its first eight bytes give a header of " + std::to_string(length) + " bytes (at most " +
              std::to_string(kMaxHeader) + "); perhaps it has another format");
    }
    data_ = kLengthBytes + static_cast<std::size_t>(length);
    if (data_ > file_.size()) truncated(data_);
    const std::string_view json(reinterpret_cast<const char*>(file_.data()) + kLengthBytes, length);
    if (!json.starts_with('{')) damaged("its header doesn't begin with '{'; perhaps it has another format");
    return json;
  }

  void check_string(std::size_t length) const {
    if (length > limits_.string) {
      damaged("a string of more than " + std::to_string(limits_.string) + " bytes in its header");
    }
  }

  /// The parser holds each string or number up to four times while it reads it, and takes a zero byte for the end.
  void check_lengths(std::string_view json) const {
    constexpr std::size_t kLongestNumber = 100;
    std::size_t begin = 0;
    std::size_t digits = 0;
    bool inside = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
      const char c = json[i];
      if (c == '\0') damaged("a zero byte in its header");
      digits = c >= '0' && c <= '9' && !inside ? digits + 1 : 0;
      if (digits > kLongestNumber) damaged("a number of more than 100 digits in its header");
      if (c == '"') {
        if (inside) check_string(i - begin);
        inside = !inside;
        begin = i;
      } else if (c == '\\' && inside) {
        ++i;
      }
    }
    if (inside) check_string(json.size() - begin);
  }

  SafetensorsEntry check(const RawEntry& raw) const {
    const std::string tensor = "tensor " + in_quotes(raw.name);
    if (!raw.dtype || !raw.shape || !raw.offsets) damaged(tensor + " lacks dtype, shape or data_offsets");
    const auto dtype = safetensors_dtype(*raw.dtype);
    if (!dtype) {
      throw ModelError("model_file_unsupported", name_ + ": " + tensor + " has the type " + in_quotes(*raw.dtype) +
                                                     "; supported are " + std::string(supported_safetensors_dtypes()) +
                                                     "; convert the file to one of these");
    }
    if (raw.offsets->size() != 2) damaged(tensor + " has data_offsets that aren't two numbers");
    const auto [begin, end] = std::pair(raw.offsets->front(), raw.offsets->back());
    std::uint64_t bytes = at::elementSize(*dtype);
    std::vector<std::int64_t> shape;
    bool overflow = false;
    for (const std::uint64_t size : *raw.shape) {
      overflow |= size > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) ||
                  __builtin_mul_overflow(bytes, size, &bytes);
      shape.push_back(static_cast<std::int64_t>(size));
    }
    if (overflow) damaged(tensor + " has a shape too large to count");
    if (begin > end || end - begin != bytes) {
      damaged(tensor + " needs " + std::to_string(bytes) + " bytes, but its data_offsets are " + std::to_string(begin) +
              " and " + std::to_string(end));
    }
    if (end > std::numeric_limits<std::size_t>::max() - data_) damaged(tensor + " lies beyond the end of any file");
    return {{*dtype, std::move(shape)}, data_ + begin, bytes};
  }

  void check_layout(const SafetensorsHeader& header) const {
    std::vector<std::pair<const std::string*, const SafetensorsEntry*>> order;
    order.reserve(header.tensors.size());
    for (const auto& [name, entry] : header.tensors) order.emplace_back(&name, &entry);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return std::pair(a.second->offset, a.second->bytes) < std::pair(b.second->offset, b.second->bytes);
    });
    std::size_t end = data_;
    for (const auto& [name, entry] : order) {
      if (entry->offset != end) {
        damaged("tensor " + in_quotes(*name) +
                (entry->offset < end ? " overlaps the one before it" : " has a gap before it"));
      }
      end = entry->offset + entry->bytes;
    }
    if (end > file_.size()) truncated(end);
    if (end < file_.size()) {
      damaged(std::to_string(file_.size() - end) + " bytes follow its last tensor, where there should be none");
    }
  }

  [[noreturn]] void truncated(std::size_t needed) const {
    throw ModelError("model_file_truncated", name_ + " is cut short: it needs " + std::to_string(needed) +
                                                 " bytes and has " + std::to_string(file_.size()) +
                                                 "; download it again");
  }

  std::span<const std::byte> file_;
  const std::string& name_;
  Limits limits_;
  std::size_t data_ = 0;  // where the tensors begin
};

}  // namespace

SafetensorsHeader read_safetensors_header(std::span<const std::byte> file, const std::string& name) {
  return HeaderReader(file, name).read();
}

}  // namespace refrain::diffusion
