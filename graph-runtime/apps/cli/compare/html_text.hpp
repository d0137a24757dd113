#pragma once

#include <string>
#include <string_view>

namespace refrain::cli {

/// `text` with the characters escaped that mean something in HTML, in text as in attributes.
inline std::string html_text(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': escaped += "&amp;"; break;
      case '<': escaped += "&lt;"; break;
      case '>': escaped += "&gt;"; break;
      case '"': escaped += "&quot;"; break;
      case '\'': escaped += "&#39;"; break;
      default: escaped += c;
    }
  }
  return escaped;
}

/// The same, with places where a long name of settings may be broken into lines.
inline std::string breakable_text(std::string_view text) {
  std::string broken;
  for (const char c : text) {
    broken += html_text(std::string_view(&c, 1));
    if (c == ':' || c == ',' || c == '/') broken += "<wbr>";
  }
  return broken;
}

}  // namespace refrain::cli
