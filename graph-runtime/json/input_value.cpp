#include "json/input_value.hpp"

#include <limits>
#include <optional>

#include "json/json_writer.hpp"

namespace refrain {
namespace {

InputValue link_value(JsonView array) {
  if (array.size() == 2) {
    auto child = array.begin();
    const JsonView node = *child;
    const JsonView slot = *++child;
    if (node.is(JsonKind::string) && (slot.is(JsonKind::integer) || slot.is(JsonKind::boolean))) {
      const std::int64_t number = slot.is(JsonKind::integer) ? slot.integer() : slot.boolean();  // to Python true is 1
      return LinkRef{std::string(node.string()), number, LinkRef::kUnresolved};
    }
  }
  return MalformedLink{python_json(array), array.size()};
}

InputValue plain_value(JsonView value) {
  switch (value.kind()) {
    case JsonKind::null: return std::monostate{};
    case JsonKind::boolean: return value.boolean();
    case JsonKind::integer: return value.integer();
    case JsonKind::unsigned_integer: return value.unsigned_integer();
    case JsonKind::real: return value.real();
    case JsonKind::string: return std::string(value.string());
    default: return RawJson{python_json(value)};
  }
}

struct WriteInput {
  JsonWriter& writer;

  void operator()(std::monostate) const { writer.null(); }
  void operator()(bool v) const { writer.value(v); }
  void operator()(std::int64_t v) const { writer.value(v); }
  void operator()(std::uint64_t v) const { writer.value(v); }
  void operator()(double v) const { writer.value(v); }
  void operator()(const std::string& v) const { writer.value(v); }
  void operator()(const RawJson& v) const { writer.raw(v.text); }
  void operator()(const LinkRef& v) const { writer.begin_array().value(v.node).value(v.slot).end_array(); }
  void operator()(const MalformedLink& v) const { writer.raw(v.text); }
};

}  // namespace

InputValue input_value(JsonView value) {
  if (value.is(JsonKind::array)) return link_value(value);
  if (value.is(JsonKind::object)) {
    if (const std::optional<JsonView> wrapped = value.find("__value__")) return plain_value(*wrapped);
  }
  return plain_value(value);
}

std::string input_json(const InputValue& value) {
  JsonWriter writer(JsonWriter::Style::python);
  std::visit(WriteInput{writer}, value);
  return writer.take();
}

}  // namespace refrain
