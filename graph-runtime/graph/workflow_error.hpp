#pragma once
// What is wrong with a workflow's text, and where.

#include <refrain/errors.hpp>

#include <string>
#include <string_view>

#include "graph/workflow_graph.hpp"

namespace refrain {

/// A place in a source: its name, line and column, and the JSON pointer (RFC 6901) of the value meant.
struct SourcePlace {
  std::string source_name;
  TextPosition position;
  std::string json_pointer;
};

/// A workflow that cannot be read. Codes: workflow_invalid_json, workflow_not_api_format, workflow_empty,
/// prompt_rejected, setting_rejected. `what()` begins with the place, as compilers write it.
class WorkflowReadError : public WorkflowError {
 public:
  WorkflowReadError(std::string code, SourcePlace place, const std::string& message);
  ~WorkflowReadError() override;

  const SourcePlace& place() const noexcept { return place_; }
  /// The message without its place.
  const std::string& message() const noexcept { return message_; }

 private:
  SourcePlace place_;
  std::string message_;
};

/// "file:3:14", "file" when the position is unknown.
std::string describe_place(std::string_view source_name, TextPosition position);

/// Appends `/token` to a JSON pointer, `~` and `/` escaped.
void append_pointer_token(std::string& pointer, std::string_view token);

}  // namespace refrain
