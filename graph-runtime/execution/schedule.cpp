#include "execution/schedule.hpp"

#include <algorithm>

namespace refrain {

void Schedule::begin(PlanLayout& layout, std::span<const std::uint32_t> same_as) {
  layout_ = &layout;
  nodes_.assign(layout.nodes.size() + 1, NodeState{});
  by_order_.clear();
  by_order_.reserve(layout.nodes.size());
  ready_.reset(layout.nodes.size());
  unneeded_.clear();
  lost_.clear();
  released_.clear();
  count_links(same_as);
  list_readers();
}

/// A node that another one stands for will never run, and so has no links.
void Schedule::count_links(std::span<const std::uint32_t> same_as) {
  for (std::uint32_t n = 0; n < layout_->nodes.size(); ++n) {
    if (same_as[n] != n) {
      layout_->nodes[n].inputs_end = layout_->nodes[n].inputs;
      continue;
    }
    if (layout_->nodes[n].output) nodes_[n].closeness = Closeness::output;
    for (PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral) continue;
      input.source = same_as[input.source];
      ++nodes_[input.source].uses;
    }
  }
}

/// Readers come after their sources in the plan, so one pass from the end knows how close a node is before it comes to
/// its sources, and fills each node's row of readers from its end to its beginning.
void Schedule::list_readers() {
  std::uint32_t end = 0;
  for (NodeState& node : nodes_) node.readers = end += node.uses;
  readers_.resize(end);
  for (auto n = static_cast<std::uint32_t>(layout_->nodes.size()); n-- > 0;) {
    const Closeness closeness = one_step_before(nodes_[n].closeness);
    const PlanLayout::Node& placed = layout_->nodes[n];
    for (std::uint32_t i = placed.inputs_end; i-- > placed.inputs;) {
      const PlanLayout::Input& input = layout_->inputs[i];
      if (input.source == PlanLayout::kLiteral) continue;
      NodeState& from = nodes_[input.source];
      readers_[--from.readers] = {n, input.lazy ? i : kAlways};
      if (!input.lazy) from.closeness = std::min(from.closeness, closeness);
    }
  }
}

std::uint32_t Schedule::take() {
  const std::uint32_t node = by_order_[ready_.take()];
  nodes_[node].state = State::running;
  return node;
}

/// A lazy link that was asked for counts in the order of preference from now on.
void Schedule::mark_link(std::uint32_t from, std::uint32_t to) {
  come_closer(from, one_step_before(nodes_[to].closeness));
  if (nodes_[to].closeness != Closeness::output) return;
  for (const PlanLayout::Input& input : inputs_of(from))
    if (input.source != PlanLayout::kLiteral && !input.lazy) come_closer(input.source, Closeness::two_steps);
}

void Schedule::come_closer(std::uint32_t n, Closeness closeness) {
  NodeState& node = nodes_[n];
  if (closeness >= node.closeness) return;
  const bool moves = node.state == State::ready;
  if (moves) ready_.erase(node.closeness, node.order);
  node.closeness = closeness;
  if (moves) ready_.insert(node.closeness, node.order);
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
      if (node.state == State::ready) ready_.erase(node.closeness, node.order);
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
void Schedule::release_inputs(std::uint32_t n) {
  for (;;) {
    for (const PlanLayout::Input& input : inputs_of(n)) {
      if (input.source == PlanLayout::kLiteral) continue;
      NodeState& from = nodes_[input.source];
      if (--from.uses > 0) continue;
      if (has_result(input.source)) {
        released_.push_back(input.source);
      } else if (from.closeness != Closeness::output &&
                 (from.state == State::idle || from.state == State::waiting || from.state == State::ready)) {
        if (from.state == State::ready) ready_.erase(from.closeness, from.order);
        from.state = State::not_needed;
        unneeded_.push_back(input.source);
      }
    }
    if (unneeded_.empty()) return;
    n = unneeded_.back();
    unneeded_.pop_back();
  }
}

}  // namespace refrain
