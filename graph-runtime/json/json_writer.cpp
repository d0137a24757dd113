#include "json/json_writer.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <utility>

#include "json/python_text.hpp"

namespace refrain {

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  text_ += json_string(name, style_ == Style::python);
  text_ += style_ == Style::compact ? ":" : ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(double v) {
  if (style_ != Style::python && !std::isfinite(v)) return null();
  if (std::isnan(v)) return raw("NaN");
  if (std::isinf(v)) return raw(v < 0 ? "-Infinity" : "Infinity");
  return raw(python_repr(v));
}

JsonWriter& JsonWriter::value(std::string_view v) { return raw(json_string(v, style_ == Style::python)); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  text_ += json;
  return *this;
}

std::string JsonWriter::take() {
  has_items_.clear();
  after_key_ = false;
  return std::exchange(text_, {});
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  text_ += bracket;
  has_items_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  const bool had_items = has_items_.back();
  has_items_.pop_back();
  if (had_items) break_line();
  text_ += bracket;
  return *this;
}

// Comma and white space before the next item, unless it is the value of a key.
void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (has_items_.empty()) return;
  if (has_items_.back()) text_ += style_ == Style::python ? ", " : ",";
  has_items_.back() = true;
  break_line();
}

void JsonWriter::break_line() {
  if (style_ != Style::indented) return;
  text_ += '\n';
  text_.append(2 * has_items_.size(), ' ');
}

std::string json_string(std::string_view text, bool ascii) {
  return nlohmann::json(text).dump(-1, ' ', ascii, nlohmann::json::error_handler_t::replace);
}

}  // namespace refrain
