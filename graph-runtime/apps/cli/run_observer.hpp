#pragma once
// A run as the command shows it: progress on stderr.

#include <refrain/runtime.hpp>

#include <string_view>

#include "progress_display.hpp"

namespace refrain::cli {

/// Follows one run. `quiet`: failures only.
class ConsoleObserver final : public RunObserver {
 public:
  ConsoleObserver(ProgressDisplay& display, bool quiet) : display_(display), quiet_(quiet) {}

  void executing(const NodeRef& node) override;
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override;
  void executed(const NodeRef& node, std::string_view ui) override;
  void log(const NodeRef& node, LogLevel level, std::string_view line) override;
  void error(const NodeFailure& failure) override;

 private:
  ProgressDisplay& display_;
  bool quiet_;
};

}  // namespace refrain::cli
