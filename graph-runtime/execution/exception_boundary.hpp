#pragma once
// What a node throws, taken apart. Nodes are other people's code: anything may come.

#include <exception>
#include <string>

namespace refrain {

/// The code of every failure for want of memory.
inline constexpr const char* kOutOfMemory = "out_of_memory";

/// An exception, taken apart.
struct CaughtException {
  bool cancelled = false;  ///< not a failure: somebody asked to stop
  std::string code;        ///< of an Error; "out_of_memory"; else "node_failed"
  std::string type;        ///< the class's name without our namespace: "NodeError", "c10::IndexError"
  std::string message;     ///< of torch's errors without the backtrace; cut to 2000 bytes
};

/// Takes the exception apart that is handled at the moment. For use inside `catch (...)` only.
CaughtException describe_current_exception();

/// Takes apart what was caught elsewhere.
CaughtException describe_exception(const std::exception_ptr& error);

}  // namespace refrain
