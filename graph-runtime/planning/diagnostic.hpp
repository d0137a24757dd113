#pragma once
// What is wrong with a workflow: ComfyUI's error records, with their places in the text.

#include <refrain/schema.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// ComfyUI's error types, plus `dependency_cycle`. Stable: scripts may rely on them.
namespace diagnostic_type {
inline constexpr const char* kInvalidPrompt = "invalid_prompt";
inline constexpr const char* kNoOutputs = "prompt_no_outputs";
inline constexpr const char* kRequiredInputMissing = "required_input_missing";
inline constexpr const char* kBadLinkedInput = "bad_linked_input";
inline constexpr const char* kReturnTypeMismatch = "return_type_mismatch";
inline constexpr const char* kInvalidInputType = "invalid_input_type";
inline constexpr const char* kValueSmallerThanMin = "value_smaller_than_min";
inline constexpr const char* kValueBiggerThanMax = "value_bigger_than_max";
inline constexpr const char* kValueNotInList = "value_not_in_list";
inline constexpr const char* kCustomValidationFailed = "custom_validation_failed";
inline constexpr const char* kExceptionDuringValidation = "exception_during_validation";
inline constexpr const char* kExceptionDuringInnerValidation = "exception_during_inner_validation";
inline constexpr const char* kDependencyCycle = "dependency_cycle";
}  // namespace diagnostic_type

/// One thing that is wrong. `message` and `details` are ComfyUI's, word for word.
struct Diagnostic {
  std::string type;
  std::string message;
  std::string details;
  std::string explanation;  ///< for people, where ComfyUI's words say too little; else empty
  std::string hint;         ///< "did you mean 'KSampler'?"; else empty
  std::string node_id;      ///< empty when the workflow as a whole is meant
  std::string class_type;
  std::string title;
  std::string input_name;                  ///< empty when the node as a whole is meant
  const Input* input = nullptr;            ///< the port meant, if it is declared; lives as long as the registry
  std::shared_ptr<const Choices> choices;  ///< of a combo, as they were when it was checked
  std::string received_value;              ///< JSON text, empty when there is none
  std::string received_type;               ///< of a link
  std::string linked_node;                 ///< the link as JSON text
  std::string exception_message;
  std::vector<std::string> dependent_outputs;  ///< ids of the output nodes that need this node
  std::string source_name;
  TextPosition position;
  std::string json_pointer;
};

/// The code of the whole: workflow_unknown_nodes when a node's type is missing or unknown, else prompt_rejected.
const char* error_code(std::span<const Diagnostic> diagnostics);

/// One line for each, as compilers write them: `file:3:14: node 3 "Title" (KSampler): Value 0 smaller than min of 1
/// (steps)`. At most `most_bytes` long; long values are cut, and a last line counts what did not fit.
std::string render(std::span<const Diagnostic> diagnostics, std::size_t most_bytes = 4000);

/// The reply that ComfyUI's /prompt gives: `{"error": {...}, "node_errors": {...}}`, compact.
std::string to_json(std::span<const Diagnostic> diagnostics);

}  // namespace refrain
