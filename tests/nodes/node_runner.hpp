#pragma once
// Runs single nodes out of the libraries in the build tree, without a workflow.

#include <refrain/node.hpp>
#include <refrain/schema.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "execution/runtime_host.hpp"
#include "plugins/registry.hpp"
#include "support/temporary_folder.hpp"

namespace refrain::testing {

/// All node types of the build tree; loaded once for the test program.
const Registry& built_nodes();

/// A host whose folders are a test's own: input, output, temp and models below one temporary folder.
class TestHost final : public RuntimeHost {
 public:
  /// `models`: a further root of models.
  explicit TestHost(const std::filesystem::path& root, const std::filesystem::path& models = {});

  std::vector<std::pair<std::int64_t, std::int64_t>> steps;
  std::vector<std::function<void()>> deferred;
  std::int64_t cancel_after_steps = -1;  ///< -1: never
  bool defer_at_once = true;
  std::uint64_t free_bytes = std::uint64_t{1} << 40U;

  bool cancelled() const override;
  void progress(std::int64_t done, std::int64_t of) override { steps.emplace_back(done, of); }
  void defer(std::function<void()> work) override;
  void require_memory(std::uint64_t bytes, std::string_view what) const override;
};

/// One test's folder, host and calls.
class NodeRunner {
 public:
  using Inputs = std::map<std::string, Value, std::less<>>;

  NodeRunner();
  /// Runs a node; parameters that are not given have their defaults. The first value of each output.
  std::vector<Value> run(std::string_view type, Inputs inputs);
  /// Runs a node whose one input `name` takes all of `values` at once; all values of its first output.
  std::vector<Value> run_on_list(std::string_view type, const std::string& name, const std::vector<Value>& values,
                                 Inputs others);
  /// What a node's validate() says about literals.
  std::vector<std::string> validate(std::string_view type, Inputs inputs);
  Fingerprint fingerprint(std::string_view type, Inputs inputs);

  TemporaryFolder folder;
  TestHost host;
  std::vector<UiRecord> ui;          ///< of the last run
  std::vector<ReportRecord> report;  ///< of the last run

 private:
  template <class Action>
  void call(std::string_view type, Inputs inputs, bool defaults, Action action, const Slot* list = nullptr);
  std::vector<std::vector<Value>> outputs_;
};

template <class T>
Value value(T object) {
  return Value::make<T>(std::move(object));
}
inline Value text(std::string words) { return value<std::string>(std::move(words)); }
inline Value integer(std::int64_t number) { return value<std::int64_t>(number); }

}  // namespace refrain::testing
