#include "graph/workflow_error.hpp"

#include "graph/shorten.hpp"

namespace refrain {
namespace {

constexpr std::size_t kLongestPointer = 160;

std::string with_place(const SourcePlace& place, const std::string& message) {
  std::string text = describe_place(place.source_name, place.position) + ": " + message;
  if (!place.json_pointer.empty()) text += " (at " + shorten(place.json_pointer, kLongestPointer) + ")";
  return text;
}

}  // namespace

WorkflowReadError::WorkflowReadError(std::string code, SourcePlace place, const std::string& message)
    : WorkflowError(std::move(code), with_place(place, message)), place_(std::move(place)), message_(message) {}

WorkflowReadError::~WorkflowReadError() = default;

std::string describe_place(std::string_view source_name, TextPosition position) {
  std::string text(source_name);
  if (position.line != 0) {
    text.append(":").append(std::to_string(position.line)).append(":").append(std::to_string(position.column));
  }
  return text;
}

void append_pointer_token(std::string& pointer, std::string_view token) {
  pointer += '/';
  for (char c : token) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

}  // namespace refrain
