#pragma once
// Runs the real command, as a shell would.

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace refrain::testing {

/// What a command left behind.
struct Outcome {
  int code = -1;       ///< exit code, or 128 + the signal that ended it
  std::string output;  ///< stdout
  std::string errors;  ///< stderr
};

struct CommandOptions {
  std::string input;                                             ///< stdin
  std::filesystem::path folder;                                  ///< where it runs
  std::vector<std::pair<std::string, std::string>> environment;  ///< added; the tests' own REFRAIN_* are taken away
  /// Called every few milliseconds with the process id until it returns true; to send signals.
  std::function<bool(int)> meanwhile;
};

/// Runs bin/refrain of the build tree and waits for it.
Outcome refrain(const std::vector<std::string>& arguments, const CommandOptions& options = {});

}  // namespace refrain::testing
