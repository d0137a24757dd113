#pragma once
// One node's call: its inputs as slots, ComfyUI's list rules, its outputs collected.

#include <refrain/context.hpp>
#include <refrain/node.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "execution/node_traits.hpp"

namespace refrain {

/// Calls nodes, one at a time, keeping its buffers from call to call. After ComfyUI's get_input_data and
/// _map_node_over_list (execution.py): a node without list inputs runs once for each item of its longest input, shorter
/// ones repeat their last item; one with list inputs runs once and sees everything.
class NodeCall {
 public:
  /// Begins a node: no inputs, empty outputs.
  void begin(const NodeTraits& traits, Host& host);

  /// `values`: all that the input has; empty for a lazy input that was not asked for. They must outlive the call.
  void add_input(std::string_view name, std::span<const Value> values) {
    inputs_.push_back({name, values});
    longest_ = std::max(longest_, values.size());
  }
  /// An input that came over a link; an empty list there is an error for a node that takes single values.
  void add_linked_input(std::string_view name, std::span<const Value> values) {
    if (values.empty() && !traits_->takes_lists && empty_input_.empty()) empty_input_ = name;
    add_input(name, values);
  }
  std::span<const Slot> inputs() const { return inputs_; }

  /// Asks the node which lazy inputs it wants, for each item; names may repeat. Throws what the node throws.
  const std::vector<std::string_view>& needs(const Node& node);
  /// Runs the node for each item. Throws what the node throws, and NodeError `missing_output` for an output not given.
  void run(Node& node);

  /// How often run() called the node.
  std::uint32_t calls() const { return calls_; }
  /// All values of each output, in order.
  std::vector<std::vector<Value>>& outputs() { return outputs_; }
  std::vector<UiRecord>& ui() { return ui_; }
  std::vector<ReportRecord>& records() { return records_; }

 private:
  std::size_t items() const;
  std::span<const Slot> item(std::size_t index);
  Frame frame(std::span<const Slot> inputs, std::vector<std::vector<Value>>* outputs);
  void call(Node& node, std::span<const Slot> inputs, std::vector<std::vector<Value>>& outputs);

  // What few nodes need, apart from what every node goes through.
  bool has_left_overs() const;
  [[gnu::cold]] void drop_left_overs();
  [[gnu::cold]] void run_each(Node& node, std::size_t count);
  [[noreturn, gnu::cold]] void refuse_empty_input() const;
  [[gnu::cold]] static void require_list(const Output& port);

  const NodeTraits* traits_ = nullptr;
  Host* host_ = nullptr;
  std::uint32_t calls_ = 0;
  std::vector<Slot> inputs_;
  std::vector<Slot> item_;
  std::vector<std::vector<Value>> outputs_;
  std::vector<std::vector<Value>> item_outputs_;
  std::vector<UiRecord> ui_;
  std::vector<ReportRecord> records_;
  std::vector<std::string_view> needed_;
  std::string_view empty_input_;  // the first that got an empty list and can't take one
  std::size_t longest_ = 1;       // items of the longest input
};

}  // namespace refrain
