#include "weights/pickle_values.hpp"

#include "weights/quoted.hpp"

#include <refrain/diffusion/error.hpp>

#include <limits>
#include <utility>

namespace refrain::diffusion::pickle {
namespace {

constexpr std::size_t kItemBytes = 3 * sizeof(Ref);  // a vector that grows has twice its size in two places

}  // namespace

void Values::charge(std::size_t bytes) {
  if (bytes > left_) {
    throw ModelError("model_file_damaged", file_ +
                                               ": its pickle describes more objects than a file of this size has "
                                               "weights for; it is damaged or hostile, get it from another source");
  }
  left_ -= bytes;
}

Ref Values::add(Value value) {
  charge(sizeof(Value));
  if (values_.size() > std::numeric_limits<Ref>::max() - 1) charge(std::numeric_limits<std::size_t>::max());
  values_.push_back(value);
  return static_cast<Ref>(values_.size() - 1);
}

Ref Values::add_container(Kind kind, std::vector<Ref> items) {
  charge(sizeof(items) + items.size() * kItemBytes);
  items_.push_back(std::move(items));
  Value value;
  value.kind = kind;
  value.index = items_.size() - 1;
  return add(value);
}

Ref Values::add_global(std::string_view module, std::string_view name) {
  charge(sizeof(Global));
  globals_.push_back({module, name});
  Value value;
  value.kind = Kind::global;
  value.index = globals_.size() - 1;
  return add(value);
}

Ref Values::add_opaque(std::size_t global) {
  Value value;
  value.kind = Kind::opaque;
  value.index = global;
  return add(value);
}

Ref Values::add_storage(const Storage& storage) {
  charge(sizeof(Storage));
  storages_.push_back(storage);
  Value value;
  value.kind = Kind::storage;
  value.index = storages_.size() - 1;
  return add(value);
}

Ref Values::add_tensor(const Tensor& tensor) {
  charge(sizeof(Tensor));
  tensors_.push_back(tensor);
  Value value;
  value.kind = Kind::tensor;
  value.index = tensors_.size() - 1;
  return add(value);
}

void Values::append(Ref container, Ref item) {
  charge(kItemBytes);
  items_[values_[container].index].push_back(item);
}

std::optional<Ref> Values::find(Ref dict, std::string_view key) const {
  const std::vector<Ref>& entries = items(dict);
  for (std::size_t i = entries.size(); i >= 2; i -= 2) {
    const Value& candidate = values_[entries[i - 2]];
    if (candidate.kind == Kind::text && candidate.text == key) return entries[i - 1];
  }
  return std::nullopt;
}

std::string Values::describe(Ref ref) const {
  constexpr std::size_t kLongest = 100;
  const Global& found = global(ref);
  return in_quotes(std::string(found.module.substr(0, kLongest)) + "." + std::string(found.name.substr(0, kLongest)));
}

}  // namespace refrain::diffusion::pickle
