#pragma once

namespace refrain::cli {

/// What the command tells the shell.
enum ExitCode : int {
  kDone = 0,
  kFailed = 1,        ///< a node failed, or a file could not be written
  kInvalid = 2,       ///< the workflow, a setting or the command line is wrong; nothing was executed
  kInterrupted = 130  ///< Ctrl-C, as shells count it
};

}  // namespace refrain::cli
