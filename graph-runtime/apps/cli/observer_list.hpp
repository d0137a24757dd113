#pragma once

#include <refrain/runtime.hpp>

#include <algorithm>
#include <vector>

namespace refrain::cli {

/// Hands everything on to several observers, in the order in which they were added. They must outlive the list.
class ObserverList final : public RunObserver {
 public:
  void add(RunObserver& observer) { observers_.push_back(&observer); }

  void run_start(std::size_t nodes) override { each(&RunObserver::run_start, nodes); }
  void cached(std::span<const NodeRef> nodes) override { each(&RunObserver::cached, nodes); }
  void executing(const NodeRef& node) override { each(&RunObserver::executing, node); }
  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override {
    each(&RunObserver::progress, node, value, max);
  }
  void executed(const NodeRef& node, std::string_view ui) override { each(&RunObserver::executed, node, ui); }
  void produced(const NodeRef& node, std::span<const std::vector<Value>> outputs) override {
    each(&RunObserver::produced, node, outputs);
  }
  void log(const NodeRef& node, LogLevel level, std::string_view line) override {
    each(&RunObserver::log, node, level, line);
  }
  bool wants_previews() const override {
    return std::any_of(observers_.begin(), observers_.end(), [](const RunObserver* o) { return o->wants_previews(); });
  }
  void preview(const NodeRef& node, const at::Tensor& pixels) override { each(&RunObserver::preview, node, pixels); }
  void error(const NodeFailure& failure) override { each(&RunObserver::error, failure); }
  void interrupted(const NodeRef& node) override { each(&RunObserver::interrupted, node); }
  void run_end(const RunReport& report) override { each(&RunObserver::run_end, report); }

 private:
  template <class Member, class... Arguments>
  void each(Member member, const Arguments&... arguments) {
    for (RunObserver* observer : observers_) (observer->*member)(arguments...);
  }

  std::vector<RunObserver*> observers_;
};

}  // namespace refrain::cli
