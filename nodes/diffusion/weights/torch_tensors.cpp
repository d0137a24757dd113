#include "weights/torch_tensors.hpp"

#include "weights/quoted.hpp"
#include "weights/state_dict.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace refrain::diffusion {
namespace {

using pickle::Kind;
using pickle::Ref;
using pickle::Values;

constexpr std::size_t kMaxRank = 16;

/// Turns pickled tensors into checked ones.
class Collector {
 public:
  Collector(Values& values, const RunsByKey& runs, std::size_t file_size, TorchContents& contents)
      : values_(values), runs_(runs), left_(2 * file_size), contents_(contents) {}

  void add(std::string name, Ref ref) {
    constexpr std::size_t kEntryBytes = 400;  // in both maps
    values_.charge(kEntryBytes + name.size());
    const pickle::Tensor& tensor = values_.tensor(ref);
    const pickle::Storage& storage = values_.storage(tensor.storage);
    TensorInfo info{tensor.dtype, numbers(tensor.sizes, name)};
    StoredView view{0, 0, 0, numbers(tensor.strides, name)};
    const std::int64_t elements = measure(info.shape, view, name);

    const auto run = runs_.find(storage.key);
    if (run == runs_.end()) damaged(name, "has a storage that the file lacks");
    view.run = run->second;
    const std::size_t item = at::elementSize(tensor.dtype);
    // A storage without a type of its own is counted in bytes.
    const std::size_t unit = storage.dtype ? at::elementSize(*storage.dtype) : 1;
    std::size_t begin = 0;
    std::size_t bytes = 0;
    if (tensor.offset < 0 || __builtin_mul_overflow(static_cast<std::size_t>(tensor.offset), item, &begin) ||
        __builtin_mul_overflow(static_cast<std::size_t>(view.extent), item, &bytes)) {
      damaged(name, "lies outside its storage");
    }
    const std::size_t length = static_cast<std::size_t>(storage.length) * unit;
    if (begin > length || bytes > length - begin) damaged(name, "lies outside its storage");
    if (static_cast<std::size_t>(elements) > length / item) damaged(name, "has more elements than its storage");
    begin += static_cast<std::size_t>(storage.begin) * unit;
    if (begin % item != 0) damaged(name, "begins inside an element of its storage");
    view.begin = static_cast<std::int64_t>(begin / item);
    count(static_cast<std::size_t>(elements) * item);
    if (is_contiguous(info.shape, view.strides)) view.strides.clear();

    const auto [place, fresh] = contents_.tensors.emplace(std::move(name), std::move(info));
    if (!fresh) damaged(place->first, "stands there twice");
    contents_.views.emplace(place->first, std::move(view));
  }

 private:
  [[noreturn]] void damaged(const std::string& name, const std::string& what) const {
    throw ModelError("model_file_damaged", values_.file() + " is not a sound torch checkpoint: tensor " +
                                               in_quotes(name) + " " + what + "; download it again");
  }

  std::vector<std::int64_t> numbers(Ref tuple, const std::string& name) const {
    const std::vector<Ref>& items = values_.items(tuple);
    if (items.size() > kMaxRank) damaged(name, "has more than " + std::to_string(kMaxRank) + " dimensions");
    std::vector<std::int64_t> result;
    result.reserve(items.size());
    for (const Ref item : items) {
      if (!values_.is(item, Kind::integer) || values_[item].integer < 0) {
        damaged(name, "has a size or stride that is no whole number of at least 0");
      }
      result.push_back(values_[item].integer);
    }
    return result;
  }

  /// How many elements a tensor has; sets how far they reach.
  std::int64_t measure(const std::vector<std::int64_t>& shape, StoredView& view, const std::string& name) const {
    if (shape.size() != view.strides.size()) damaged(name, "has another number of sizes than of strides");
    std::int64_t elements = 1;
    std::int64_t last = 0;
    bool overflow = false;
    const bool empty = std::find(shape.begin(), shape.end(), 0) != shape.end();
    for (std::size_t i = 0; i < shape.size() && !empty; ++i) {
      std::int64_t step = 0;
      overflow |= __builtin_mul_overflow(elements, shape[i], &elements) ||
                  __builtin_mul_overflow(shape[i] - 1, view.strides[i], &step) ||
                  __builtin_add_overflow(last, step, &last);
    }
    if (overflow || __builtin_add_overflow(last, 1, &view.extent)) damaged(name, "has a shape too large to count");
    if (!empty) return elements;
    view.extent = 0;
    return 0;
  }

  static bool is_contiguous(const std::vector<std::int64_t>& shape, const std::vector<std::int64_t>& strides) {
    std::int64_t expected = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      if (shape[i] == 0) return true;
      if (shape[i] != 1 && strides[i] != expected) return false;
      expected *= shape[i];
    }
    return true;
  }

  /// Tensors may share storages, but not so that they unfold to more than the file holds.
  void count(std::size_t bytes) {
    if (bytes > left_) {
      throw ModelError("model_file_damaged", values_.file() +
                                                 ": its tensors share their storages so that they take "
                                                 "more than twice the file's size; it is damaged or "
                                                 "hostile, get it from another source");
    }
    left_ -= bytes;
  }

  Values& values_;
  const RunsByKey& runs_;
  std::size_t left_;
  TorchContents& contents_;
};

/// Small facts beside the weights: "epoch", "global_step", ...
void collect_metadata(const Values& values, Ref root, TorchContents& contents) {
  constexpr std::size_t kMost = 256;
  constexpr std::size_t kLongest = 1024;
  if (!values.is(root, Kind::dict)) return;
  const std::vector<Ref>& items = values.items(root);
  for (std::size_t i = 0; i + 1 < items.size() && contents.metadata.size() < kMost; i += 2) {
    const pickle::Value& key = values[items[i]];
    const pickle::Value& value = values[items[i + 1]];
    if (key.kind != Kind::text || key.text.size() > kLongest || value.text.size() > kLongest) continue;
    if (value.kind == Kind::text) contents.metadata[std::string(key.text)] = value.text;
    if (value.kind == Kind::integer) contents.metadata[std::string(key.text)] = std::to_string(value.integer);
  }
}

[[noreturn]] void no_tensors(const Values& values, Ref root) {
  std::string what = values.file() + " holds no tensors";
  if (values.is(root, Kind::opaque) || values.is(root, Kind::global)) {
    what += " but a pickled object of the class " + values.describe(root) + ", which would have to be run";
  }
  throw ModelError("model_file_unsupported", what + "; save the model's state_dict() in its place");
}

}  // namespace

std::size_t pickle_memory(std::size_t file_size) {
  constexpr std::size_t kLeast = std::size_t{1} << 20U;  // a file of a few bytes needs more than a few bytes
  constexpr std::size_t kMost = std::size_t{1} << 29U;
  return std::clamp(file_size, kLeast, kMost);
}

std::size_t storage_bytes(const Values& values, const pickle::Storage& storage) {
  const std::size_t item = storage.dtype ? at::elementSize(*storage.dtype) : 1;
  std::size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<std::size_t>(storage.elements), item, &bytes)) {
    throw ModelError("model_file_damaged", values.file() + " is not a sound torch checkpoint: storage " +
                                               in_quotes(storage.key) + " is too large to count; download it again");
  }
  return bytes;
}

void collect_tensors(Values& values, Ref root, const RunsByKey& runs, std::size_t file_size,
                     std::optional<bool> use_ema, TorchContents& contents) {
  const State state = find_state(values, root, use_ema);
  auto tensors = list_tensors(values, state.value);
  if (tensors.empty()) no_tensors(values, state.value);
  contents.averaged = state.averaged;
  Collector collector(values, runs, file_size, contents);
  for (auto& [name, ref] : tensors) collector.add(std::move(name), ref);
  collect_metadata(values, root, contents);
}

}  // namespace refrain::diffusion
