#pragma once
// What a pickle holds, as plain data: nothing in it can be called.

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace refrain::diffusion::pickle {

/// A value's place in PickleValues. Containers refer to their items by it, so that they may hold themselves.
using Ref = std::uint32_t;

enum class Kind : std::uint8_t {
  none,
  boolean,      // integer
  integer,      // integer
  big_integer,  // text: its bytes in two's complement, the lowest first
  real,         // real
  text,         // text: str or bytes
  tuple,        // index, of items
  list,         // index, of items
  dict,         // index, of items: key, value, key, value, ... in order; of equal keys the last one counts
  global,       // index, of globals: a name that the pickle wants to import
  opaque,       // index, of the global that it would have been made by
  storage,      // index
  tensor,       // index
};

struct Value {
  Kind kind = Kind::none;
  union {
    std::int64_t integer = 0;
    double real;
    std::size_t index;
  };
  std::string_view text;  ///< a view of the pickle's bytes
};

/// A name such as torch.FloatStorage, as views of the pickle's bytes.
struct Global {
  std::string_view module;
  std::string_view name;
};

/// A run of elements in the file, or a part of one.
struct Storage {
  std::optional<at::ScalarType> dtype;  ///< none: counted in bytes
  std::string_view key;                 ///< names the run in the file
  std::int64_t elements = 0;            ///< of the whole run
  std::int64_t begin = 0;               ///< of the part that is meant
  std::int64_t length = 0;
};

/// A tensor as it was saved. Nothing of it was checked against the storage yet.
struct Tensor {
  std::size_t storage = 0;  ///< index
  at::ScalarType dtype = at::ScalarType::Undefined;
  std::int64_t offset = 0;  ///< in elements, from the storage's part
  Ref sizes = 0;            ///< tuples of integers
  Ref strides = 0;
};

/// All values of one pickle. They refer to its bytes, which must outlive them.
class Values {
 public:
  /// `memory`: about how many bytes the values may take; `file` is named in messages.
  Values(std::size_t memory, std::string file) : left_(memory), file_(std::move(file)) {}

  Ref add(Value value);
  Ref add_container(Kind kind, std::vector<Ref> items = {});
  Ref add_global(std::string_view module, std::string_view name);
  Ref add_opaque(std::size_t global);
  Ref add_storage(const Storage& storage);
  Ref add_tensor(const Tensor& tensor);
  void append(Ref container, Ref item);

  const Value& operator[](Ref ref) const { return values_[ref]; }
  const std::vector<Ref>& items(Ref container) const { return items_[values_[container].index]; }
  const Global& global(Ref ref) const { return globals_[values_[ref].index]; }
  const Storage& storage(std::size_t index) const { return storages_[index]; }
  const Tensor& tensor(Ref ref) const { return tensors_[values_[ref].index]; }
  std::size_t storages() const { return storages_.size(); }
  std::size_t size() const { return values_.size(); }

  bool is(Ref ref, Kind kind) const { return values_[ref].kind == kind; }
  /// The value of a dict's text key; none where it has no such key.
  std::optional<Ref> find(Ref dict, std::string_view key) const;
  /// "'torch.FloatStorage'" of a global or an opaque value.
  std::string describe(Ref ref) const;

  /// Counts `bytes` that are about to be taken. Throws ModelError where they are too many for a file of this size.
  void charge(std::size_t bytes);
  const std::string& file() const { return file_; }

 private:
  std::size_t left_;
  std::string file_;
  std::deque<Value> values_;
  std::deque<std::vector<Ref>> items_;
  std::deque<Global> globals_;
  std::deque<Storage> storages_;
  std::deque<Tensor> tensors_;
};

}  // namespace refrain::diffusion::pickle
