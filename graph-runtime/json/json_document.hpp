#pragma once
// A JSON text as a flat list of values, each with its place. Kept flat so that nothing recurses over the user's data.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/workflow_error.hpp"

namespace refrain {

enum class JsonKind : std::uint8_t {
  null,
  boolean,
  integer,
  unsigned_integer,
  big_integer,
  real,
  string,
  array,
  object
};

/// What a reader accepts before it gives up.
struct JsonLimits {
  std::size_t bytes = std::size_t{128} << 20;
  std::size_t depth = 200;
};

class JsonView;

/// A parsed text. Accepts what Python's json accepts: NaN, Infinity, -Infinity, integers of any size, a byte order
/// mark.
class JsonDocument {
 public:
  /// Parses `text`. Throws WorkflowReadError (workflow_invalid_json) with line, column and pointer of the fault.
  static JsonDocument parse(std::string_view text, std::string_view source_name, const JsonLimits& limits = {});

  JsonView root() const;

 private:
  friend class JsonView;
  friend class JsonDocumentBuilder;

  struct Entry {
    std::uint32_t offset = 0;  // of the value's first byte in the source
    std::uint32_t end = 0;     // index after the last descendant
    std::uint32_t key_begin = 0;
    std::uint32_t key_size = 0;
    std::uint32_t size = 0;  // bytes of a string or big integer, children of a container
    JsonKind kind = JsonKind::null;
    union {
      std::uint64_t bits = 0;  // begin in the arena, or an unsigned integer
      std::int64_t integer;
      double real;
      bool boolean;
    };
  };

  TextPosition position_of(std::size_t offset) const;

  std::vector<Entry> entries_;
  std::string arena_;  // keys, strings, digits of big integers
  std::vector<std::uint32_t> line_starts_;
};

/// One value of a document; valid as long as the document. The accessors require the matching kind.
class JsonView {
 public:
  JsonView(const JsonDocument& document, std::uint32_t index) : document_(&document), index_(index) {}

  JsonKind kind() const { return entry().kind; }
  bool is(JsonKind kind) const { return entry().kind == kind; }
  TextPosition position() const { return document_->position_of(entry().offset); }

  bool boolean() const { return entry().boolean; }
  std::int64_t integer() const { return entry().integer; }
  std::uint64_t unsigned_integer() const { return entry().bits; }
  double real() const { return entry().real; }
  /// A string's contents, or the digits of a big integer.
  std::string_view string() const {
    return std::string_view(document_->arena_).substr(static_cast<std::size_t>(entry().bits), entry().size);
  }

  /// Name of this member of an object.
  std::string_view key() const {
    return std::string_view(document_->arena_).substr(entry().key_begin, entry().key_size);
  }
  /// Number of children.
  std::size_t size() const { return entry().size; }
  /// The member called `key`; of several the last, as in Python.
  std::optional<JsonView> find(std::string_view key) const;

  /// Index after the last descendant: the next value in the order of the text.
  std::uint32_t index() const { return index_; }
  std::uint32_t end_index() const { return entry().end; }
  JsonView at_index(std::uint32_t index) const { return {*document_, index}; }

  class Iterator {
   public:
    Iterator(const JsonDocument& document, std::uint32_t index) : document_(&document), index_(index) {}
    JsonView operator*() const { return {*document_, index_}; }
    Iterator& operator++() {
      index_ = (**this).end_index();
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const JsonDocument* document_;
    std::uint32_t index_;
  };

  /// The children of an array or object.
  Iterator begin() const { return {*document_, index_ + 1}; }
  Iterator end() const { return {*document_, entry().end}; }

 private:
  const JsonDocument::Entry& entry() const { return document_->entries_[index_]; }

  const JsonDocument* document_;
  std::uint32_t index_;
};

inline JsonView JsonDocument::root() const { return {*this, 0}; }

/// The text that Python's json.dumps gives for `value`.
std::string python_json(JsonView value);

}  // namespace refrain
