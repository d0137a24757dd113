#include "planning/literal_check.hpp"

#include <refrain/errors.hpp>
#include <refrain/host.hpp>

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "graph/shorten.hpp"
#include "json/input_value.hpp"
#include "json/json_writer.hpp"
#include "json/python_text.hpp"
#include "planning/diagnostic.hpp"
#include "planning/python_literal.hpp"

namespace refrain {
namespace {

bool same_scalar(const InputValue& a, const InputValue& b) {
  if (a.index() != b.index()) return false;
  if (const auto* v = std::get_if<std::int64_t>(&a)) return *v == std::get<std::int64_t>(b);
  if (const auto* v = std::get_if<double>(&a)) {  // bit for bit: -0.0 is not 0.0
    return std::bit_cast<std::uint64_t>(*v) == std::bit_cast<std::uint64_t>(std::get<double>(b));
  }
  if (const auto* v = std::get_if<std::string>(&a)) return *v == std::get<std::string>(b);
  if (const auto* v = std::get_if<bool>(&a)) return *v == std::get<bool>(b);
  if (const auto* v = std::get_if<std::uint64_t>(&a)) return *v == std::get<std::uint64_t>(b);
  return false;
}

LiteralProblem cannot_convert(const PortInfo& port, const InputValue& literal, std::string reason) {
  LiteralProblem problem;
  problem.type = diagnostic_type::kInvalidInputType;
  problem.message = "Failed to convert an input value to a " + std::string(port.input->type.name) + " value";
  problem.details = port.input->name + ", " + python_str(literal) + ", " + reason;
  problem.received_value = input_json(literal);
  problem.exception_message = std::move(reason);
  return problem;
}

LiteralProblem out_of_range(const PortInfo& port, bool too_small, const std::string& value, const std::string& limit,
                            std::string received) {
  LiteralProblem problem;
  problem.type = too_small ? diagnostic_type::kValueSmallerThanMin : diagnostic_type::kValueBiggerThanMax;
  problem.message = "Value " + value + (too_small ? " smaller than min of " : " bigger than max of ") + limit;
  problem.details = port.input->name;
  problem.received_value = std::move(received);
  return problem;
}

std::optional<__int128> integer_of(const Literal& limit) {
  if (const auto* v = std::get_if<std::int64_t>(&limit)) return *v;
  if (const auto* v = std::get_if<std::uint64_t>(&limit)) return *v;
  return std::nullopt;
}

std::optional<LiteralProblem> check_integer(const PortInfo& port, const InputValue& literal, Value& result) {
  PythonInt value;
  if (auto reason = to_python_int(literal, value)) return cannot_convert(port, literal, *reason);
  const Input& input = *port.input;
  const bool is_unsigned = std::holds_alternative<std::uint64_t>(input.value);
  const __int128 type_min = is_unsigned ? __int128{0} : __int128{INT64_MIN};
  const __int128 type_max = is_unsigned ? __int128{UINT64_MAX} : __int128{INT64_MAX};
  const bool by_node = input.checked_by_node;
  const __int128 min = std::max(by_node ? type_min : integer_of(input.min).value_or(type_min), type_min);
  const __int128 max = std::min(by_node ? type_max : integer_of(input.max).value_or(type_max), type_max);
  if (value.value < min || value.value > max) {
    const bool too_small = value.value < min;
    const std::string text = python_str(value);
    return out_of_range(port, too_small, text, python_str(PythonInt{too_small ? min : max, {}}), text);
  }
  result = is_unsigned ? Value::make<std::uint64_t>(static_cast<std::uint64_t>(value.value))
                       : Value::make<std::int64_t>(static_cast<std::int64_t>(value.value));
  return std::nullopt;
}

std::optional<LiteralProblem> check_real(const PortInfo& port, const InputValue& literal, Value& result) {
  double value = 0;
  if (auto reason = to_python_float(literal, value)) return cannot_convert(port, literal, *reason);
  if (!port.input->checked_by_node) {
    const auto* min = std::get_if<double>(&port.input->min);
    const auto* max = std::get_if<double>(&port.input->max);
    const bool too_small = min && value < *min;
    if (too_small || (max && value > *max)) {
      return out_of_range(port, too_small, python_repr(value), python_repr(too_small ? *min : *max), input_json(value));
    }
  }
  result = Value::make<double>(value);
  return std::nullopt;
}

LiteralProblem not_in_list(const PortInfo& port, const InputValue& literal) {
  const Choices& choices = *port.choices;
  const std::string value = python_str(literal);
  LiteralProblem problem;
  problem.type = diagnostic_type::kValueNotInList;
  problem.message = "Value not in list";
  problem.details = port.input->name + ": '" + value + "' not in " +
                    (choices.size() > kMostChoicesShown ? list_of_length(choices.size())
                                                        : python_repr(std::span<const std::string>(choices)));
  problem.received_value = input_json(literal);
  if (choices.empty() && !port.input->choices.folder.empty()) {
    problem.hint = "there are no files in the folder '" + port.input->choices.folder + "'";
  }
  return problem;
}

/// For a choice among files: the folders searched and what is there instead, in the host's words. Else empty.
std::string why_no_file(const Host& host, const Input& input, const std::string& name) {
  if (input.choices.folder.empty()) return {};
  try {
    host.find_file(input.choices.folder, name);
  } catch (const Error& error) {
    return input.name + ": " + error.what();
  }
  return {};
}

std::optional<LiteralProblem> check_choice(const TypeTable& types, PortInfo& port, const InputValue& literal,
                                           Value& result) {
  const auto* text = std::get_if<std::string>(&literal);
  if (!port.input->checked_by_node) {
    if (!types.list_choices(port)) {
      LiteralProblem problem;
      problem.type = diagnostic_type::kExceptionDuringValidation;
      problem.details = problem.exception_message = port.choices_failure;
      problem.explanation = "the choices of " + port.input->name + " can't be listed: " + port.choices_failure;
      return problem;
    }
    const auto& sorted = port.sorted_choices;
    if (!text || !std::binary_search(sorted.begin(), sorted.end(), *text)) {
      LiteralProblem problem = not_in_list(port, literal);
      if (text) problem.explanation = why_no_file(types.host(), *port.input, *text);
      return problem;
    }
  }
  result = Value::make<std::string>(text ? *text : python_str(literal));
  return std::nullopt;
}

std::optional<LiteralProblem> take_as_it_is(const PortInfo& port, const InputValue& literal, Value& result) {
  if (const auto* v = std::get_if<bool>(&literal))
    result = Value::make<bool>(*v);
  else if (const auto* v = std::get_if<std::int64_t>(&literal))
    result = Value::make<std::int64_t>(*v);
  else if (const auto* v = std::get_if<std::uint64_t>(&literal))
    result = Value::make<std::uint64_t>(*v);
  else if (const auto* v = std::get_if<double>(&literal))
    result = Value::make<double>(*v);
  else if (const auto* v = std::get_if<std::string>(&literal))
    result = Value::make<std::string>(*v);
  else
    return cannot_convert(port, literal, "a literal here is a number, a boolean or a string");
  return std::nullopt;
}

LiteralProblem needs_link(const PortInfo& port, const InputValue& literal) {
  const std::string type = port.input->accepts.empty() ? std::string(port.input->type.name) : port.input->accepts;
  LiteralProblem problem = cannot_convert(port, literal, "a " + type + " comes over a link");
  problem.explanation =
      port.input->name + " takes a link to a " + type + ", not the value " + shorten(input_json(literal), 80);
  return problem;
}

std::optional<LiteralProblem> convert(const TypeTable& types, PortInfo& port, const InputValue& literal,
                                      Value& result) {
  switch (port.kind) {
    case PortKind::integer: return check_integer(port, literal, result);
    case PortKind::real: return check_real(port, literal, result);
    case PortKind::text: result = Value::make<std::string>(python_str(literal)); return std::nullopt;
    case PortKind::boolean: result = Value::make<bool>(to_python_bool(literal)); return std::nullopt;
    case PortKind::combo: return check_choice(types, port, literal, result);
    case PortKind::any: return take_as_it_is(port, literal, result);
    case PortKind::link_only: break;
  }
  return needs_link(port, literal);
}

struct DefaultValue {
  Value operator()(std::monostate) const { return {}; }
  template <class T>
  Value operator()(const T& v) const {
    return Value::make<T>(v);
  }
};

}  // namespace

std::string list_of_length(std::size_t size) { return "(list of length " + std::to_string(size) + ")"; }

std::optional<LiteralProblem> check_literal(const TypeTable& types, PortInfo& port, const InputValue& literal,
                                            Value& result) {
  if (port.last_literal && same_scalar(*port.last_literal, literal)) {
    result = port.last_value;
    return std::nullopt;
  }
  const bool takes_null = port.input->optional && (port.kind == PortKind::link_only || port.kind == PortKind::any);
  if (takes_null && std::holds_alternative<std::monostate>(literal)) return std::nullopt;
  std::optional<LiteralProblem> problem = convert(types, port, literal, result);
  if (!problem) {
    port.last_literal = &literal;
    port.last_value = result;
  }
  return problem;
}

Value default_value(const TypeTable& types, PortInfo& port) {
  if (!std::holds_alternative<std::monostate>(port.input->value)) return std::visit(DefaultValue{}, port.input->value);
  if (!port.input->choice || !types.list_choices(port) || port.choices->empty()) return {};
  return Value::make<std::string>(port.choices->front());
}

}  // namespace refrain
