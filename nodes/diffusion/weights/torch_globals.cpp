#include "weights/torch_globals.hpp"

#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

namespace refrain::diffusion::pickle {
namespace {

enum class Known : std::uint8_t {
  ordered_dict,
  rebuild_tensor,     // storage, offset, sizes, strides
  rebuild_tensor_v2,  // ... requires_grad, hooks
  rebuild_tensor_v3,  // ... requires_grad, hooks, dtype
  first_argument,     // a parameter or buffer around a tensor, a size around a tuple, an encoded text
  rebuild_from_type,  // function, type, arguments, state
};

struct KnownGlobal {
  std::string_view module;
  std::string_view name;
  Known what;
};

constexpr KnownGlobal kKnown[] = {
    {"collections", "OrderedDict", Known::ordered_dict},
    {"torch._utils", "_rebuild_tensor", Known::rebuild_tensor},
    {"torch._utils", "_rebuild_tensor_v2", Known::rebuild_tensor_v2},
    {"torch._utils", "_rebuild_tensor_v3", Known::rebuild_tensor_v3},
    {"torch._utils", "_rebuild_parameter", Known::first_argument},
    {"torch._utils", "_rebuild_parameter_with_state", Known::first_argument},
    {"torch._utils", "_rebuild_device_tensor_from_cpu_tensor", Known::first_argument},
    {"torch.nn.parameter", "Parameter", Known::first_argument},
    {"torch.nn.parameter", "Buffer", Known::first_argument},
    {"torch", "Size", Known::first_argument},
    {"_codecs", "encode", Known::first_argument},
    {"torch._tensor", "_rebuild_from_type_v2", Known::rebuild_from_type},
};

struct NamedType {
  std::string_view storage;  ///< torch.<...>Storage; empty where there is none
  std::string_view dtype;    ///< torch.<...>
  at::ScalarType type;
};

constexpr NamedType kTypes[] = {
    {"Float", "float32", at::ScalarType::Float},
    {"Half", "float16", at::ScalarType::Half},
    {"BFloat16", "bfloat16", at::ScalarType::BFloat16},
    {"Double", "float64", at::ScalarType::Double},
    {"Long", "int64", at::ScalarType::Long},
    {"Int", "int32", at::ScalarType::Int},
    {"Short", "int16", at::ScalarType::Short},
    {"Char", "int8", at::ScalarType::Char},
    {"Byte", "uint8", at::ScalarType::Byte},
    {"Bool", "bool", at::ScalarType::Bool},
    {"", "float8_e4m3fn", at::ScalarType::Float8_e4m3fn},
    {"", "float8_e5m2", at::ScalarType::Float8_e5m2},
};

[[noreturn]] void damaged(const Values& values, const std::string& what) {
  throw ModelError("model_file_damaged", values.file() + ": its pickle is damaged: " + what + "; download it again");
}

std::int64_t integer(const Values& values, Ref ref, const char* what) {
  if (!values.is(ref, Kind::integer)) damaged(values, std::string(what) + " is no whole number");
  return values[ref].integer;
}

/// The index of the opaque value's global, for one made from `ref`.
Ref opaque_of(Values& values, Ref ref) { return values.add_opaque(values[ref].index); }

std::optional<at::ScalarType> dtype_called(const Global& global) {
  if (global.module != "torch") return std::nullopt;
  for (const NamedType& named : kTypes) {
    if (named.dtype == global.name) return named.type;
  }
  return std::nullopt;
}

/// Sets the storage's element type; false where its class isn't one of those that are known.
bool read_storage_type(const Global& global, Storage& storage) {
  constexpr std::string_view kEnd = "Storage";
  if (global.module != "torch" && global.module != "torch.storage" && global.module != "torch.cuda") return false;
  if (!global.name.ends_with(kEnd)) return false;
  const std::string_view name = global.name.substr(0, global.name.size() - kEnd.size());
  if (name == "Untyped" || name == "_Untyped") return true;
  for (const NamedType& named : kTypes) {
    if (!named.storage.empty() && named.storage == name) {
      storage.dtype = named.type;
      return true;
    }
  }
  return false;
}

Ref rebuild_tensor(Values& values, Known how, const std::vector<Ref>& arguments) {
  constexpr std::size_t kDtypeOfV3 = 6;
  const std::size_t needed = how == Known::rebuild_tensor_v3 ? kDtypeOfV3 + 1 : 4;
  if (arguments.size() < needed) damaged(values, "a tensor lacks its storage, offset, size or strides");
  if (values.is(arguments[0], Kind::opaque)) return opaque_of(values, arguments[0]);
  if (!values.is(arguments[0], Kind::storage)) damaged(values, "a tensor's storage is none");
  Tensor tensor;
  tensor.storage = values[arguments[0]].index;
  tensor.offset = integer(values, arguments[1], "a tensor's offset");
  tensor.sizes = arguments[2];
  tensor.strides = arguments[3];
  for (const Ref list : {tensor.sizes, tensor.strides}) {
    if (!values.is(list, Kind::tuple) && !values.is(list, Kind::list)) {
      damaged(values, "a tensor's size or strides are no tuple");
    }
  }
  std::optional<at::ScalarType> dtype = values.storage(tensor.storage).dtype;
  if (how == Known::rebuild_tensor_v3) {
    const Ref type = arguments[kDtypeOfV3];
    if (!values.is(type, Kind::global)) damaged(values, "a tensor's type is none");
    dtype = dtype_called(values.global(type));
    if (!dtype) return opaque_of(values, type);
  }
  if (!dtype) damaged(values, "a tensor of an untyped storage has no type");
  tensor.dtype = *dtype;
  return values.add_tensor(tensor);
}

Ref ordered_dict(Values& values, const std::vector<Ref>& arguments) {
  const Ref dict = values.add_container(Kind::dict);
  if (arguments.empty()) return dict;
  const Ref pairs = arguments[0];
  if (values.is(pairs, Kind::dict)) return pairs;
  if (!values.is(pairs, Kind::list) && !values.is(pairs, Kind::tuple)) damaged(values, "an ordered dict of no pairs");
  for (std::size_t i = 0; i < values.items(pairs).size(); ++i) {
    const Ref pair = values.items(pairs)[i];
    if ((!values.is(pair, Kind::list) && !values.is(pair, Kind::tuple)) || values.items(pair).size() != 2) {
      damaged(values, "an ordered dict of no pairs");
    }
    values.append(dict, values.items(pair)[0]);
    values.append(dict, values.items(pair)[1]);
  }
  return dict;
}

const KnownGlobal* find_known(const Global& global) {
  const auto* place = std::find_if(std::begin(kKnown), std::end(kKnown), [&](const KnownGlobal& known) {
    return known.module == global.module && known.name == global.name;
  });
  return place == std::end(kKnown) ? nullptr : place;
}

}  // namespace

Ref apply(Values& values, Ref callable, Ref arguments) {
  constexpr int kDeepest = 4;  // functions named by the arguments of others
  for (int depth = 0; depth < kDeepest; ++depth) {
    if (values.is(callable, Kind::opaque)) return opaque_of(values, callable);
    if (!values.is(callable, Kind::global)) damaged(values, "something is called that can't be");
    const KnownGlobal* known = find_known(values.global(callable));
    if (known == nullptr) return opaque_of(values, callable);
    if (!values.is(arguments, Kind::tuple)) damaged(values, "arguments that are no tuple");
    const std::vector<Ref>& list = values.items(arguments);
    switch (known->what) {
      case Known::ordered_dict: return ordered_dict(values, list);
      case Known::rebuild_tensor:
      case Known::rebuild_tensor_v2:
      case Known::rebuild_tensor_v3: return rebuild_tensor(values, known->what, list);
      case Known::first_argument:
        if (list.empty()) return opaque_of(values, callable);
        return list[0];
      case Known::rebuild_from_type:
        if (list.size() < 3) damaged(values, "a tensor of a class of its own lacks its parts");
        arguments = list[2];
        callable = list[0];
        break;
    }
  }
  damaged(values, "a tensor is nested too deep in classes of its own");
}

Ref resolve_persistent_id(Values& values, Ref id) {
  if (!values.is(id, Kind::tuple)) damaged(values, "a persistent id that is no tuple");
  const std::vector<Ref>& parts = values.items(id);
  const bool named = !parts.empty() && values.is(parts[0], Kind::text);
  if (named && values[parts[0]].text == "module" && parts.size() >= 2) return parts[1];
  if (!named || values[parts[0]].text != "storage" || parts.size() < 5) damaged(values, "an unknown persistent id");
  if (!values.is(parts[1], Kind::global)) damaged(values, "a storage whose type is none");
  if (!values.is(parts[2], Kind::text)) damaged(values, "a storage without a key");

  Storage storage;
  if (!read_storage_type(values.global(parts[1]), storage)) return opaque_of(values, parts[1]);
  storage.key = values[parts[2]].text;
  storage.elements = integer(values, parts[4], "a storage's size");
  storage.length = storage.elements;
  if (parts.size() > 5 && !values.is(parts[5], Kind::none)) {
    const Ref view = parts[5];  // key of the view, offset, size: only in files of before torch 1.6
    if (!values.is(view, Kind::tuple) || values.items(view).size() != 3) damaged(values, "a storage's view is none");
    storage.begin = integer(values, values.items(view)[1], "the offset of a storage's view");
    storage.length = integer(values, values.items(view)[2], "the size of a storage's view");
  }
  if (storage.elements < 0 || storage.begin < 0 || storage.length < 0 || storage.begin > storage.elements ||
      storage.length > storage.elements - storage.begin) {
    damaged(values, "a storage's size is impossible");
  }
  return values.add_storage(storage);
}

}  // namespace refrain::diffusion::pickle
