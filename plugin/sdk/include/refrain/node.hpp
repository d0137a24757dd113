#pragma once
// The base of every node.

#include <refrain/context.hpp>
#include <refrain/literals.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace refrain {

/// The lazy inputs that a node wants computed. `return on_true;` works, as does `return {a, b};`.
struct Needs {
  std::vector<std::string_view> names;

  Needs() = default;
  template <class... T>
  Needs(const In<Lazy<T>>&... port) : names{port.name...} {}
  template <class Port>
  void add(const Port& port) {
    names.push_back(port.name);
  }
};

/// What a node's result depends on beside its inputs, as text; kAlwaysRun: never the same twice.
using Fingerprint = std::optional<std::string>;
inline constexpr std::nullopt_t kAlwaysRun = std::nullopt;

/// A node. A class of an author's derives from it, has `static Schema schema()` and overrides run(); the other three
/// may be overridden too, and must then be public. An instance serves one node of one workflow, one call at a time;
/// it may be made anew for every call, so what must last belongs into values.
class REFRAIN_API Node {
 public:
  virtual ~Node();

  /// Reads its inputs from the context and gives its outputs. Throws NodeError, or anything derived from
  /// std::exception.
  virtual void run(Context& ctx) = 0;
  /// Called before run() while lazy inputs are missing, again after those it named have come, until it names no new
  /// ones.
  virtual Needs needs(const Context& ctx) const;
  /// Called at validation, with literals only: reject() what can't be.
  virtual void validate(Literals& in) const;
  /// Called before a result is reused, with literals only. An exception counts as kAlwaysRun.
  virtual Fingerprint fingerprint(const Literals& in) const;
};

}  // namespace refrain
