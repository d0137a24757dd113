#pragma once
// Python's int(), float(), str() and bool() on the literals of a workflow: ComfyUI converts with them.

#include <cstdint>
#include <optional>
#include <string>

#include "graph/workflow_graph.hpp"
#include "json/json_document.hpp"

namespace refrain {

/// An integer as int() gives it. Beyond 128 bits `value` is the nearest that fits; `digits` is exact.
struct PythonInt {
  __int128 value = 0;
  std::string digits;  ///< set when the number does not fit into 64 bits
};

/// What str() gives for an integer.
std::string python_str(const PythonInt& value);
/// What str() gives for a literal: "None", "True", "5.0", the text itself, "{'a': 1}".
std::string python_str(const InputValue& literal);

/// The same for any JSON value.
std::string python_str(JsonView value);

/// Each converts `literal` into `result`, or returns the text of the exception that Python raises. No links.
std::optional<std::string> to_python_int(const InputValue& literal, PythonInt& result);
std::optional<std::string> to_python_float(const InputValue& literal, double& result);
/// bool() knows no exception: "false" is true.
bool to_python_bool(const InputValue& literal);

}  // namespace refrain
