#pragma once
// The value of an input, as the graph keeps it, out of JSON.

#include <string>

#include "graph/workflow_graph.hpp"
#include "json/json_document.hpp"

namespace refrain {

/// `value` as an input: an array is a link, well formed or not; `{"__value__": x}` is x, and then a list stays a list.
InputValue input_value(JsonView value);

/// JSON text of `value`, as Python's json.dumps gives it.
std::string input_json(const InputValue& value);

}  // namespace refrain
