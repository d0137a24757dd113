#include "json/json_document.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

#include "graph/shorten.hpp"
#include "json/json_mask.hpp"
#include "json/json_writer.hpp"
#include "json/python_text.hpp"

namespace refrain {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kLongestToken = 60;

// Tells the outside how far the lexer has read: nlohmann's events carry no positions.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** consumed) : at_(at), consumed_(consumed) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *consumed_ = ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    CountingIterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** consumed_;
};

// What is wrong, out of nlohmann's "[...] parse error at line 1, column 2: syntax error while parsing value - REASON;
// last read: 'TOKEN'; expected ...".
std::string reason_of(const std::string& what) {
  const std::size_t dash = what.find(" - ", what.find("syntax error while parsing"));
  const std::size_t begin = dash == what.npos ? 0 : dash + 3;
  return what.substr(begin, what.find("; last read: '", begin) - begin);
}

std::vector<std::uint32_t> find_line_starts(std::string_view text) {
  // Editors do not count the byte order mark as a column.
  std::vector<std::uint32_t> starts{text.substr(0, 3) == kByteOrderMark ? 3u : 0u};
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    starts.push_back(static_cast<std::uint32_t>(at + 1));
  }
  return starts;
}

}  // namespace

// Receives nlohmann's events. Between two of them the text holds nothing but white space, commas and colons, so the
// start of each token follows from the end of the one before.
class JsonDocumentBuilder {
 public:
  JsonDocumentBuilder(std::string_view text, std::string_view source_name, const JsonLimits& limits)
      : text_(text), source_name_(source_name), limits_(limits) {
    document_.line_starts_ = find_line_starts(text);
    if (text.substr(0, 3) == kByteOrderMark) cursor_ = 3;
  }

  JsonDocument build() {
    const std::optional<std::string> masked = mask_python_literals(text_);
    masked_ = masked.has_value();
    const char* const begin = masked ? masked->data() : text_.data();
    begin_ = consumed_ = begin;
    CountingIterator first(begin, &consumed_);
    CountingIterator last(begin + text_.size(), &consumed_);
    nlohmann::json::sax_parse(first, last, this);
    return std::move(document_);
  }

  // nlohmann's SAX interface.
  bool null() { return scalar(JsonKind::null, 4); }
  bool boolean(bool value) {
    scalar(JsonKind::boolean, value ? 4 : 5);
    document_.entries_.back().boolean = value;
    return true;
  }
  bool number_integer(std::int64_t value) {
    number(JsonKind::integer);
    document_.entries_.back().integer = value;
    return true;
  }
  bool number_unsigned(std::uint64_t value) {
    const bool fits = value <= static_cast<std::uint64_t>(INT64_MAX);
    number(fits ? JsonKind::integer : JsonKind::unsigned_integer);
    document_.entries_.back().bits = value;
    return true;
  }
  bool number_float(double value, const std::string&) {
    const std::size_t start = number(JsonKind::real);
    const std::string_view token = text_.substr(start, cursor_ - start);
    JsonDocument::Entry& entry = document_.entries_.back();
    if (token.find_first_not_of("-0123456789") == token.npos) {
      entry.kind = JsonKind::big_integer;
      store(token, entry.bits, entry.size);
    } else {
      entry.real = masked_ ? python_number(token) : value;
    }
    return true;
  }
  bool string(std::string& value) {
    JsonDocument::Entry& entry = add(JsonKind::string, token_start());
    store(value, entry.bits, entry.size);
    cursor_ = consumed();
    return true;
  }
  bool binary(nlohmann::json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(JsonKind::object); }
  bool start_array(std::size_t) { return open(JsonKind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& value) {
    std::uint64_t begin = 0;
    store(value, begin, key_size_);
    key_begin_ = static_cast<std::uint32_t>(begin);
    cursor_ = consumed();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::json::exception& error) {
    const std::string reason = reason_of(error.what());
    const std::size_t start = token_start();
    const std::size_t end = std::max(start, consumed());
    const bool inside_string = reason.starts_with("invalid string") && reason.find("closing quote") == reason.npos;
    std::string message = "not valid JSON: " + reason;
    if (reason.starts_with("invalid")) {
      message += ": " + python_repr(std::string_view(shorten(text_.substr(start, end - start), kLongestToken)));
    }
    fail(inside_string && end > 0 ? end - 1 : start, message);
  }

 private:
  std::size_t consumed() const { return static_cast<std::size_t>(consumed_ - begin_); }

  std::size_t token_start() const {
    const std::size_t start = text_.find_first_not_of(" \t\r\n,:", cursor_);
    return start == text_.npos ? text_.size() : start;
  }

  JsonDocument::Entry& add(JsonKind kind, std::size_t start) {
    if (!open_.empty()) ++document_.entries_[open_.back()].size;
    JsonDocument::Entry& entry = document_.entries_.emplace_back();
    entry.kind = kind;
    entry.offset = static_cast<std::uint32_t>(start);
    entry.end = static_cast<std::uint32_t>(document_.entries_.size());
    entry.key_begin = key_begin_;
    entry.key_size = key_size_;
    key_begin_ = key_size_ = 0;
    return entry;
  }

  bool scalar(JsonKind kind, std::size_t size) {
    const std::size_t start = token_start();
    add(kind, start);
    cursor_ = start + size;
    return true;
  }

  std::size_t number(JsonKind kind) {
    const std::size_t start = token_start();
    std::size_t end = text_.find_first_of(" \t\r\n,:]}", start);
    scalar(kind, (end == text_.npos ? text_.size() : end) - start);
    return start;
  }

  bool open(JsonKind kind) {
    const std::size_t start = token_start();
    if (open_.size() >= limits_.depth) {
      fail(start, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    add(kind, start);
    open_.push_back(static_cast<std::uint32_t>(document_.entries_.size() - 1));
    cursor_ = start + 1;
    return true;
  }

  bool close() {
    document_.entries_[open_.back()].end = static_cast<std::uint32_t>(document_.entries_.size());
    open_.pop_back();
    cursor_ = token_start() + 1;
    return true;
  }

  void store(std::string_view text, std::uint64_t& begin, std::uint32_t& size) {
    begin = document_.arena_.size();
    size = static_cast<std::uint32_t>(text.size());
    document_.arena_ += text;
  }

  // Pointer of the value under way: each open container names the child that was begun last.
  std::string pointer() const {
    std::string result;
    for (std::size_t level = 0; level < open_.size(); ++level) {
      const JsonDocument::Entry& container = document_.entries_[open_[level]];
      const bool innermost = level + 1 == open_.size();
      if (container.kind == JsonKind::array) {
        append_pointer_token(result, std::to_string(innermost ? container.size : container.size - 1));
      } else if (!innermost || key_size_ != 0) {
        const std::uint32_t begin = innermost ? key_begin_ : document_.entries_[open_[level + 1]].key_begin;
        const std::uint32_t size = innermost ? key_size_ : document_.entries_[open_[level + 1]].key_size;
        append_pointer_token(result, shorten(std::string_view(document_.arena_).substr(begin, size), 80));
      }
    }
    return result;
  }

  [[noreturn]] void fail(std::size_t offset, const std::string& message) const {
    throw WorkflowReadError("workflow_invalid_json",
                            {std::string(source_name_), document_.position_of(offset), pointer()}, message);
  }

  std::string_view text_;
  std::string_view source_name_;
  const JsonLimits& limits_;
  JsonDocument document_;
  bool masked_ = false;
  const char* begin_ = nullptr;
  const char* consumed_ = nullptr;
  std::size_t cursor_ = 0;  // end of the last token
  std::uint32_t key_begin_ = 0;
  std::uint32_t key_size_ = 0;
  std::vector<std::uint32_t> open_;  // containers under way
};

JsonDocument JsonDocument::parse(std::string_view text, std::string_view source_name, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    throw WorkflowReadError(
        "workflow_invalid_json", {std::string(source_name), {}, {}},
        std::to_string(text.size()) + " bytes of JSON are more than the limit of " + std::to_string(limits.bytes));
  }
  if (text.substr(0, 2) == "\xFF\xFE" || text.substr(0, 2) == "\xFE\xFF") {
    throw WorkflowReadError("workflow_invalid_json", {std::string(source_name), {1, 1}, {}},
                            "the text is UTF-16; save it as UTF-8");
  }
  return JsonDocumentBuilder(text, source_name, limits).build();
}

TextPosition JsonDocument::position_of(std::size_t offset) const {
  auto line = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  if (line != line_starts_.begin()) --line;
  const std::size_t column = offset >= *line ? offset - *line + 1 : 1;
  return {static_cast<std::uint32_t>(line - line_starts_.begin() + 1), static_cast<std::uint32_t>(column)};
}

std::optional<JsonView> JsonView::find(std::string_view key) const {
  std::optional<JsonView> found;
  for (JsonView member : *this) {
    if (member.key() == key) found = member;
  }
  return found;
}

namespace {

void write_scalar(JsonWriter& writer, JsonView value) {
  switch (value.kind()) {
    case JsonKind::null: writer.null(); break;
    case JsonKind::boolean: writer.value(value.boolean()); break;
    case JsonKind::integer: writer.value(value.integer()); break;
    case JsonKind::unsigned_integer: writer.value(value.unsigned_integer()); break;
    case JsonKind::big_integer: writer.raw(value.string()); break;
    case JsonKind::real: writer.value(value.real()); break;
    default: writer.value(value.string()); break;
  }
}

}  // namespace

std::string python_json(JsonView value) {
  JsonWriter writer(JsonWriter::Style::python);
  std::vector<JsonView> open;
  auto close_until = [&](std::uint32_t index) {
    while (!open.empty() && open.back().end_index() <= index) {
      if (open.back().is(JsonKind::object))
        writer.end_object();
      else
        writer.end_array();
      open.pop_back();
    }
  };
  for (std::uint32_t i = value.index(); i < value.end_index(); ++i) {
    close_until(i);
    const JsonView item = value.at_index(i);
    if (!open.empty() && open.back().is(JsonKind::object)) writer.key(item.key());
    if (item.is(JsonKind::object))
      writer.begin_object();
    else if (item.is(JsonKind::array))
      writer.begin_array();
    else
      write_scalar(writer, item);
    if (item.is(JsonKind::object) || item.is(JsonKind::array)) open.push_back(item);
  }
  close_until(value.end_index());
  return writer.take();
}

}  // namespace refrain
