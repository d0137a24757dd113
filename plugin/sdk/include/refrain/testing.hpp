#pragma once
// For tests of nodes, with any test framework: a host that writes down what is asked of it, and one call of a node.

#include <refrain/plugin.hpp>

#include <algorithm>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

/// The record of the library under test, whose sources are part of the test program.
extern "C" __attribute__((visibility("default"))) const ::refrain::abi::Record refrain_plugin_v1;

namespace refrain::testkit {

/// A host without a runtime. Its folders are below `root`; nothing is looked up on the disk.
class RecordingHost : public Host {
 public:
  std::filesystem::path root = "/refrain-test";
  std::vector<std::pair<std::int64_t, std::int64_t>> steps;  ///< what progress() was told
  std::vector<std::pair<LogLevel, std::string>> lines;
  std::vector<std::function<void()>> deferred;  ///< not run: call them
  std::int64_t cancel_after_polls = -1;         ///< cancelled() says no so often, then yes; -1: always no
  std::uint64_t free_bytes = std::uint64_t{1} << 40;
  c10::Device run_device{c10::kCPU};
  c10::ScalarType run_dtype = c10::kFloat;

  Choices files_in(std::string_view) const override { return {}; }
  std::filesystem::path find_file(std::string_view folder, std::string_view name) const override {
    return root / folder / name;
  }
  std::filesystem::path data_file(std::string_view name) const override { return root / name; }
  std::filesystem::path directory(Folder which) const override {
    return root / (which == Folder::input ? "input" : which == Folder::temp ? "temp" : "output");
  }
  bool cancelled() const override { return cancel_after_polls >= 0 && polls_++ >= cancel_after_polls; }
  void progress(std::int64_t done, std::int64_t of) override { steps.emplace_back(done, of); }
  void log(LogLevel level, std::string_view line) override { lines.emplace_back(level, line); }
  c10::Device device() const override { return run_device; }
  c10::ScalarType dtype() const override { return run_dtype; }
  void defer(std::function<void()> work) override { deferred.push_back(std::move(work)); }
  void require_memory(std::uint64_t bytes, std::string_view what) const override {
    if (bytes > free_bytes) throw NodeError("out_of_memory", std::string(what));
  }

 private:
  mutable std::int64_t polls_ = 0;
};

/// One call: give inputs by name, run, look at the outputs. Parameters that are not given have their defaults.
///   Call call(refrain_plugin_v1, "Brightness");
///   call.with("image", Image{pixels}).with("gain", 2.0).run();
///   call.output<Image>("IMAGE").pixels ...
class Call {
 public:
  /// A call that has a frame only, for tests of what a node does with its context.
  explicit Call(Schema schema) : schema_(std::move(schema)), outputs_(schema_.outputs.size()) {}

  /// A call of a node of the library. Throws std::invalid_argument when it has none of that name.
  Call(const abi::Record& library, std::string_view type) {
    for (std::size_t i = 0; i < library.count && !entry_; ++i) {
      library.nodes[i]->describe(schema_);
      if (schema_.name == type) entry_ = library.nodes[i];
    }
    if (!entry_) throw std::invalid_argument("the library has no node '" + std::string(type) + "'");
    node_.reset(entry_->create(), entry_->destroy);
    outputs_.resize(schema_.outputs.size());
  }

  template <class T>
  Call& with(std::string name, T value) {
    return with_values(std::move(name), {Value::make<T>(std::move(value))});
  }
  /// Gives a value that is there already: another call's output, an object of a derived class.
  Call& with_value(std::string name, Value value) { return with_values(std::move(name), {std::move(value)}); }
  /// Gives a list.
  Call& with_values(std::string name, std::vector<Value> values) {
    values_.push_back(std::move(values));
    slots_.push_back({names_.emplace_back(std::move(name)), values_.back()});
    return *this;
  }

  /// Runs the node. What it throws comes through.
  Call& run() {
    add_defaults();
    Context context(frame());
    node_->run(context);
    return *this;
  }
  /// What validate() rejects.
  std::vector<std::string> problems() {
    std::vector<std::string> found;
    Literals literals(frame(), &found);
    node_->validate(literals);
    return found;
  }
  /// The lazy inputs that the node wants.
  std::vector<std::string_view> needs() {
    add_defaults();
    return node_->needs(Context(frame())).names;
  }

  /// An output by name.
  template <class T>
  const T& output(std::string_view name) const {
    return values(name).at(0).template as<T>();
  }
  /// All values of an output.
  const std::vector<Value>& values(std::string_view name) const {
    for (std::size_t i = 0; i < schema_.outputs.size(); ++i) {
      if (schema_.outputs[i].name == name) return outputs_[i];
    }
    throw std::invalid_argument("the node has no output '" + std::string(name) + "'");
  }
  const Schema& schema() const { return schema_; }
  Frame& frame() {
    frame_ = {&host, slots_, &outputs_, &schema_, &ui, &report};
    return frame_;
  }

  RecordingHost host;
  std::vector<UiRecord> ui;
  std::vector<ReportRecord> report;

 private:
  void add_defaults() {
    for (const Input& input : schema_.inputs) {
      const bool given = std::any_of(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.name == input.name; });
      if (!given && input.widget) add_default(input);
    }
  }
  void add_default(const Input& input) {
    if (input.choice && input.value.index() == 0) {
      const Choices choices = input.list_choices(host);
      if (!choices.empty()) with(input.name, choices.front());
      return;
    }
    std::visit(
        [&]<class T>(const T& value) {
          if constexpr (!std::is_same_v<T, std::monostate>) with(input.name, value);
        },
        input.value);
  }

  Schema schema_;
  const abi::NodeEntry* entry_ = nullptr;
  std::shared_ptr<Node> node_;
  std::deque<std::string> names_;  // deques: the slots look into them
  std::deque<std::vector<Value>> values_;
  std::vector<Slot> slots_;
  std::vector<std::vector<Value>> outputs_;
  Frame frame_;
};

}  // namespace refrain::testkit
