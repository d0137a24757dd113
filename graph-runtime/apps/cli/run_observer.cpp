#include "run_observer.hpp"

#include <refrain/host.hpp>

#include <fmt/format.h>

#include "console.hpp"

namespace refrain::cli {
namespace {

constexpr std::size_t kLongestTitle = 40;

/// "KSampler [3]"; a title of the author's stands before the id.
std::string label_of(const NodeRef& node) {
  return presentable(fmt::format("{} [{}]", node.title.substr(0, kLongestTitle), node.id.substr(0, kLongestTitle)));
}

}  // namespace

void ConsoleObserver::executing(const NodeRef& node) {
  if (!quiet_) {
    display_.begin(label_of(node));
  }
}

void ConsoleObserver::progress(const NodeRef& node, std::int64_t value, std::int64_t max) {
  if (!quiet_) {
    display_.step(label_of(node), value, max);
  }
}

void ConsoleObserver::executed(const NodeRef& node, std::string_view) {
  if (!quiet_) {
    display_.end(label_of(node));
  }
}

void ConsoleObserver::log(const NodeRef& node, LogLevel level, std::string_view line) {
  if (level != LogLevel::debug && (!quiet_ || level >= LogLevel::warning)) {
    display_.line(presentable(fmt::format("{}: {}", label_of(node), line)));
  }
}

void ConsoleObserver::error(const NodeFailure& failure) {
  display_.hide();
  print_error(failure.describe());
}

}  // namespace refrain::cli
