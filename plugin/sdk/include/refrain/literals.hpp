#pragma once
// What a node can know of its inputs before a run.

#include <refrain/frame.hpp>
#include <refrain/ports.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace refrain {

/// Before a run: what is written in the workflow. A parameter that is linked, or missing, reads as null.
class REFRAIN_API Literals {
 public:
  /// `problems` receives what reject() says, as "input - text"; null where nobody asks.
  Literals(Frame& frame, std::vector<std::string>* problems) : frame_(frame), problems_(problems) {}

  template <class T>
  const T* operator[](const Param<T>& port) const {
    static_assert(!std::is_same_v<T, int>, "read a Param<std::int64_t> here");
    return find_as<T>(port.name);
  }
  const std::string* operator[](const Choice& port) const { return find_as<std::string>(port.name); }

  /// Says that the value of a port can't be; several may be rejected.
  template <class Port>
  void reject(const Port& port, std::string_view why) {
    add_problem(port.name, why);
  }
  /// The file that a Choice over FilesIn names. Throws what Host::find_file throws, and NodeError when it is linked.
  std::filesystem::path path(const Choice& port) const;
  Host& host() const { return *frame_.host; }

 private:
  template <class T>
  const T* find_as(std::string_view name) const {
    const Value* value = find(name);
    return value ? &value->as<T>() : nullptr;
  }
  const Value* find(std::string_view name) const;
  void add_problem(std::string_view name, std::string_view why);

  Frame& frame_;
  std::vector<std::string>* problems_;
};

}  // namespace refrain
