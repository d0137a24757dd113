#include "execution/schedule.hpp"

namespace refrain {

void Schedule::begin(PlanLayout& layout, std::span<const std::uint32_t> same_as) {
  layout_ = &layout;
  nodes_.assign(layout.nodes.size() + 1, NodeState{});
  by_order_.clear();
  by_order_.reserve(layout.nodes.size());
  ready_.reset(layout.nodes.size());
  lost_.clear();
  released_.clear();
  count_links(same_as);
  find_closeness();
  list_readers();
}

/// A node that another one stands for will never run, and so has no links.
void Schedule::count_links(std::span<const std::uint32_t> same_as) {
  for (std::uint32_t n = 0; n < layout_->nodes.size(); ++n) {
    if (same_as[n] != n) {
      layout_->nodes[n].inputs_end = layout_->nodes[n].inputs;
      continue;
    }
    nodes_[n].output = layout_->nodes[n].output;
    for (PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral) continue;
      input.source = same_as[input.source];
      ++nodes_[input.source].uses;
    }
  }
}

/// Readers come after their sources in the plan, so one pass from the end sees every reader's mark before its sources.
void Schedule::find_closeness() {
  for (auto n = static_cast<std::uint32_t>(layout_->nodes.size()); n-- > 0;) {
    const NodeState& node = nodes_[n];
    if (!node.output && !node.feeds_output) continue;
    for (const PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral || input.lazy) continue;
      NodeState& from = nodes_[input.source];
      from.feeds_output = from.feeds_output || node.output;
      from.two_steps = from.two_steps || node.feeds_output;
    }
  }
}

void Schedule::list_readers() {
  const std::size_t count = layout_->nodes.size();
  std::uint32_t begin = 0;
  for (NodeState& node : nodes_) {
    node.readers = begin;
    begin += node.uses;
  }
  readers_.resize(begin);
  for (std::uint32_t n = 0; n < count; ++n) {
    for (const PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral) continue;
      const auto index = static_cast<std::uint32_t>(&input - layout_->inputs.data());
      readers_[nodes_[input.source].readers++] = {n, input.lazy ? index : kAlways};
    }
  }
  for (std::size_t n = count; n > 0; --n)
    nodes_[n].readers = nodes_[n - 1].readers;  // filling had moved them on by one
  nodes_[0].readers = 0;
}

Closeness Schedule::closeness(const NodeState& node) const {
  if (node.output) return Closeness::output;
  if (node.feeds_output) return Closeness::feeds_output;
  return node.two_steps ? Closeness::two_steps : Closeness::farther;
}

void Schedule::make_ready(std::uint32_t node) {
  nodes_[node].state = State::ready;
  ready_.insert(closeness(nodes_[node]), nodes_[node].order);
}

std::uint32_t Schedule::take() {
  const std::uint32_t node = by_order_[ready_.take()];
  nodes_[node].state = State::running;
  return node;
}

/// A lazy link that was asked for counts in the order of preference from now on.
void Schedule::mark_link(std::uint32_t from, std::uint32_t to) {
  come_closer(from, nodes_[to].output, nodes_[to].feeds_output);
  if (!nodes_[to].output) return;
  for (const PlanLayout::Input& input : inputs_of(from))
    if (input.source != PlanLayout::kLiteral && !input.lazy) come_closer(input.source, false, true);
}

void Schedule::come_closer(std::uint32_t n, bool feeds_output, bool two_steps) {
  NodeState& node = nodes_[n];
  const bool moves = node.state == State::ready;
  if (moves) ready_.erase(closeness(node), node.order);
  node.feeds_output = node.feeds_output || feeds_output;
  node.two_steps = node.two_steps || two_steps;
  if (moves) ready_.insert(closeness(node), node.order);
}

void Schedule::put_back(std::uint32_t node) {
  nodes_[node].state = State::waiting;
  if (nodes_[node].blocked == 0) make_ready(node);
}

void Schedule::finish(std::uint32_t n) {
  NodeState& node = nodes_[n];
  node.state = State::done;
  for (std::uint32_t r = node.readers; r != nodes_[n + 1].readers; ++r) {
    const Reader& reader = readers_[r];
    NodeState& to = nodes_[reader.node];
    if (to.state == State::waiting && asked(reader) && --to.blocked == 0) make_ready(reader.node);
  }
  release_inputs(n);
  if (node.uses == 0) released_.push_back(n);
}

void Schedule::fail(std::uint32_t n) {
  NodeState& node = nodes_[n];
  if (node.state == State::failed) return;
  const bool had_result = has_result(n);
  node.state = State::failed;
  if (!had_result)
    release_inputs(n);
  else if (node.uses > 0)
    released_.push_back(n);  // with its last reader gone, it has been released already
  lost_.push_back(n);
  skip_dependants();
}

void Schedule::skip(std::uint32_t node) {
  lost_.push_back(node);
  skip_dependants();
}

/// Skips the nodes of `lost_` that have not failed themselves, and all that asked for one of them. All are marked
/// before any lets go of its inputs: else one of them might seem to be not needed.
void Schedule::skip_dependants() {
  skipped_.clear();
  while (!lost_.empty()) {
    const std::uint32_t n = lost_.back();
    lost_.pop_back();
    NodeState& node = nodes_[n];
    if (node.state == State::skipped) continue;
    if (node.state != State::failed) {
      if (node.state == State::ready) ready_.erase(closeness(node), node.order);
      node.state = State::skipped;
      skipped_.push_back(n);
    }
    for (std::uint32_t r = node.readers; r != nodes_[n + 1].readers; ++r) {
      const Reader& reader = readers_[r];
      const State to = nodes_[reader.node].state;
      if ((to == State::waiting || to == State::ready) && asked(reader)) lost_.push_back(reader.node);
    }
  }
  for (const std::uint32_t n : skipped_) release_inputs(n);
}

/// A node that will not read its inputs any more lets go of them; a source that nobody else may read gives up its
/// result, or is not needed and lets go of its own inputs in turn.
void Schedule::release_inputs(std::uint32_t first) {
  unneeded_.assign(1, first);
  while (!unneeded_.empty()) {
    const std::uint32_t n = unneeded_.back();
    unneeded_.pop_back();
    for (const PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral) continue;
      NodeState& from = nodes_[input.source];
      if (--from.uses > 0) continue;
      if (has_result(input.source)) {
        released_.push_back(input.source);
      } else if (!from.output &&
                 (from.state == State::idle || from.state == State::waiting || from.state == State::ready)) {
        if (from.state == State::ready) ready_.erase(closeness(from), from.order);
        from.state = State::not_needed;
        unneeded_.push_back(input.source);
      }
    }
  }
}

}  // namespace refrain
