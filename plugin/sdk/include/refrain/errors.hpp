#pragma once
// Failures. Each says where, what and the remedy, and has a code that stays the same between releases.

#include <refrain/value.hpp>

#include <stdexcept>
#include <string>

namespace refrain {

/// Base of all our errors. Every class below has its key function in librefrain_sdk.so, so that one thrown in a node
/// library is caught by its type in the runtime.
class REFRAIN_API Error : public std::runtime_error {
 public:
  Error(std::string code, const std::string& what);
  ~Error() override;
  /// snake_case, stable: scripts may rely on it.
  const std::string& code() const noexcept { return code_; }

 private:
  std::string code_;
};

/// The text is no workflow: broken JSON, another format, a node without a type.
class REFRAIN_API WorkflowError : public Error {
 public:
  using Error::Error;
  ~WorkflowError() override;
};

/// The workflow is well formed but can't run: a wrong type, a value out of range, a missing link.
class REFRAIN_API ValidationError : public Error {
 public:
  using Error::Error;
  ~ValidationError() override;
};

/// A node library can't be used.
class REFRAIN_API PluginError : public Error {
 public:
  using Error::Error;
  ~PluginError() override;
};

/// A node could not do its work. Thrown by nodes; the runtime adds the node's id, title, type and inputs.
class REFRAIN_API NodeError : public Error {
 public:
  using Error::Error;
  ~NodeError() override;
};

/// Somebody asked to stop. Not a failure; let it pass.
class REFRAIN_API Cancelled : public Error {
 public:
  Cancelled();
  ~Cancelled() override;
};

}  // namespace refrain
