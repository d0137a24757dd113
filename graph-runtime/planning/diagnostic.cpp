#include "planning/diagnostic.hpp"

#include <algorithm>

#include "graph/shorten.hpp"
#include "graph/workflow_error.hpp"

namespace refrain {
namespace {

constexpr std::size_t kLongestName = 60;
constexpr std::size_t kLongestText = 400;

// One line without control characters: what comes from a file must not steer a terminal.
std::string printable(std::string_view text, std::size_t most) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string line;
  for (char c : shorten(text, most)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n')
      line += "\\n";
    else if (byte < 0x20 || byte == 0x7F)
      ((line += "\\x") += kHex[byte >> 4]) += kHex[byte & 15];
    else
      line += c;
  }
  return line;
}

std::string describe_problem(const Diagnostic& diagnostic) {
  if (!diagnostic.explanation.empty()) return diagnostic.explanation;
  const bool says_all = diagnostic.details.empty() || diagnostic.type == diagnostic_type::kInvalidPrompt;
  if (says_all) return diagnostic.message;  // the details of an invalid prompt are the node's id
  if (diagnostic.details == diagnostic.input_name) return diagnostic.message + " (" + diagnostic.details + ")";
  return diagnostic.message + ": " + diagnostic.details;
}

std::string render_line(const Diagnostic& diagnostic) {
  std::string line = printable(describe_place(diagnostic.source_name, diagnostic.position), 300) + ": ";
  if (!diagnostic.node_id.empty()) {
    line += "node " + printable(diagnostic.node_id, kLongestName);
    if (!diagnostic.title.empty()) line += " \"" + printable(diagnostic.title, kLongestName) + "\"";
    if (!diagnostic.class_type.empty()) line += " (" + printable(diagnostic.class_type, kLongestName) + ")";
    line += ": ";
  }
  line += printable(describe_problem(diagnostic), kLongestText);
  if (!diagnostic.hint.empty()) line += " (" + printable(diagnostic.hint, kLongestText) + ")";
  return line + "\n";
}

}  // namespace

const char* error_code(std::span<const Diagnostic> diagnostics) {
  const bool unknown = std::any_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& diagnostic) {
    return diagnostic.type == diagnostic_type::kInvalidPrompt;
  });
  return unknown ? "workflow_unknown_nodes" : "prompt_rejected";
}

std::string render(std::span<const Diagnostic> diagnostics, std::size_t most_bytes) {
  constexpr std::size_t kRoomForCount = 40;
  std::string text;
  for (std::size_t i = 0; i < diagnostics.size(); ++i) {
    const std::string line = render_line(diagnostics[i]);
    const bool last = i + 1 == diagnostics.size();
    if (text.size() + line.size() + (last ? 0 : kRoomForCount) > most_bytes) {
      return text + "... and " + std::to_string(diagnostics.size() - i) + " more\n";
    }
    text += line;
  }
  return text;
}

}  // namespace refrain
