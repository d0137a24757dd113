#include "execution/node_call.hpp"

#include <refrain/errors.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace refrain {

namespace {
/// Empties every slot and keeps its room.
void reset(std::vector<std::vector<Value>>& outputs, std::size_t slots) {
  if (outputs.size() != slots) outputs.resize(slots);
  for (std::vector<Value>& slot : outputs)
    if (!slot.empty()) slot.clear();
}
}  // namespace

void NodeCall::begin(const NodeTraits& traits, Host& host) {
  traits_ = &traits;
  host_ = &host;
  calls_ = 0;
  inputs_.clear();
  empty_input_ = {};
  longest_ = 1;
  if (outputs_.size() != traits.outputs || has_left_overs()) drop_left_overs();
}

bool NodeCall::has_left_overs() const {
  const auto used = [](const std::vector<Value>& slot) { return !slot.empty(); };
  return !ui_.empty() || !records_.empty() || std::any_of(outputs_.begin(), outputs_.end(), used);
}

void NodeCall::drop_left_overs() {
  reset(outputs_, traits_->outputs);
  ui_.clear();
  records_.clear();
}

/// How often the node runs: as often as its longest input has items, and once without any.
std::size_t NodeCall::items() const { return traits_->takes_lists ? 1 : longest_; }

/// The inputs of one of several calls.
std::span<const Slot> NodeCall::item(std::size_t index) {
  item_.clear();
  for (const Slot& input : inputs_) {
    if (input.values.empty())
      item_.push_back(input);
    else
      item_.push_back({input.name, input.values.subspan(std::min(index, input.values.size() - 1), 1)});
  }
  return item_;
}

Frame NodeCall::frame(std::span<const Slot> inputs, std::vector<std::vector<Value>>* outputs) {
  Frame frame;
  frame.host = host_;
  frame.inputs = inputs;
  frame.outputs = outputs;
  frame.schema = &traits_->type->schema;
  frame.ui = &ui_;
  frame.report = &records_;
  return frame;
}

const std::vector<std::string_view>& NodeCall::needs(const Node& node) {
  needed_.clear();
  const std::size_t count = items();
  for (std::size_t i = 0; i < count; ++i) {
    Frame asked = frame(count == 1 ? std::span<const Slot>(inputs_) : item(i), nullptr);
    const Needs needs = node.needs(Context(asked));
    needed_.insert(needed_.end(), needs.names.begin(), needs.names.end());
  }
  return needed_;
}

void NodeCall::run(Node& node) {
  if (!empty_input_.empty()) refuse_empty_input();
  const std::size_t count = items();
  if (count == 1) return call(node, inputs_, outputs_);
  run_each(node, count);
}

void NodeCall::refuse_empty_input() const {
  throw NodeError("empty_list",
                  "input '" + std::string(empty_input_) + "' got an empty list, and the node needs at least one item");
}

void NodeCall::run_each(Node& node, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    reset(item_outputs_, outputs_.size());
    call(node, item(i), item_outputs_);
    for (std::size_t slot = 0; slot < outputs_.size(); ++slot)
      for (Value& value : item_outputs_[slot]) outputs_[slot].push_back(std::move(value));
  }
}

void NodeCall::call(Node& node, std::span<const Slot> inputs, std::vector<std::vector<Value>>& outputs) {
  Frame call_frame = frame(inputs, &outputs);
  Context context(call_frame);
  ++calls_;
  node.run(context);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].size() != 1) require_list(traits_->type->schema.outputs[i]);
  }
}

void NodeCall::require_list(const Output& port) {
  if (port.list) return;
  throw NodeError("missing_output", "the node did not give its output '" + port.name +
                                        "'; its run() must set every output that is not a list");
}

}  // namespace refrain
