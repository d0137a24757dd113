#pragma once
// Which node of a plan runs next, which never will, and whose result nobody reads any more. Flat arrays over node and
// input indexes, no recursion: a chain may be as long as memory allows.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "execution/plan_layout.hpp"
#include "execution/ready_set.hpp"

namespace refrain {

/// The state of each node of a plan while it runs. Knows nothing of values: the executor computes and keeps those.
/// One object serves many runs, so that its arrays are allocated once.
class Schedule {
 public:
  enum class State : std::uint8_t {
    idle,     ///< nobody has asked for it yet
    waiting,  ///< for sources
    ready,
    running,
    done,    ///< has a result
    reused,  ///< has a kept result
    failed,
    skipped,     ///< needs a node that failed
    not_needed,  ///< everybody who might have asked is through
  };

  /// Where an input stands.
  enum class Source : std::uint8_t { available, pending, lost };

  /// Begins a run over a fresh layout, which must outlive it. `same_as[n]` is the node that computes what n would, n
  /// itself for most: links to n are led there.
  void begin(PlanLayout& layout, std::span<const std::uint32_t> same_as);

  /// Asks for a node and all that it needs beyond doubt (links that are not lazy). `reuse(n)` says whether node n has a
  /// kept result: then what only n needs is not asked for. It is called at most once a node, never for `node` itself.
  template <class Reuse>
  void request(std::uint32_t node, Reuse&& reuse);

  bool has_ready() const { return !ready_.empty(); }
  /// The node to run now, in ComfyUI's order of preference. Its state becomes running.
  std::uint32_t take();

  /// A running node asks for a lazy input (index in the plan's inputs). When it is pending, the node has to be put
  /// back.
  template <class Reuse>
  Source demand(std::uint32_t node, std::uint32_t input, Reuse&& reuse);
  /// A running node waits for what it demanded.
  void put_back(std::uint32_t node);

  /// A running node has its result.
  void finish(std::uint32_t node);
  /// A node failed, while running or (deferred work) when it was done already: its dependants that have not run are
  /// skipped.
  void fail(std::uint32_t node);
  /// A running node can't run, since what it demanded is lost.
  void skip(std::uint32_t node);

  /// Nodes whose result lost its last reader since the last call of clear_released().
  std::span<const std::uint32_t> released() const { return released_; }
  void clear_released() { released_.clear(); }

  /// How many nodes have been asked for.
  std::size_t asked_nodes() const { return by_order_.size(); }
  State state(std::uint32_t node) const { return nodes_[node].state; }
  bool has_result(std::uint32_t node) const {
    return nodes_[node].state == State::done || nodes_[node].state == State::reused;
  }

 private:
  static constexpr std::uint32_t kNone = 0xFFFFFFFFu;

  struct NodeState {
    std::uint32_t uses = 0;       // links to it whose readers may still read it
    std::uint32_t blocked = 0;    // asked links from sources without a result
    std::uint32_t order = kNone;  // of being asked for
    std::uint32_t readers = 0;    // begin in readers_; the next node's is the end
    State state = State::idle;
    Closeness closeness = Closeness::farther;
  };
  static constexpr std::uint32_t kAlways = 0xFFFFFFFFu;
  struct Reader {
    std::uint32_t node;
    std::uint32_t lazy_input;  // its index; kAlways for a link that is not lazy: asked for as soon as its node is
  };

  bool asked(const Reader& reader) const {
    return reader.lazy_input == kAlways || layout_->inputs[reader.lazy_input].asked;
  }
  void count_links(std::span<const std::uint32_t> same_as);
  void list_readers();
  void make_ready(std::uint32_t n) {
    nodes_[n].state = State::ready;
    ready_.insert(nodes_[n].closeness, nodes_[n].order);
    __builtin_prefetch(layout_->inputs.data() + layout_->nodes[n].inputs);  // read soon, from anywhere in the plan
  }
  void mark_link(std::uint32_t from, std::uint32_t to);
  void come_closer(std::uint32_t node, Closeness closeness);
  void release_inputs(std::uint32_t n);
  void skip_dependants();
  template <class Reuse>
  void ask(std::uint32_t node, Reuse&& reuse);

  std::span<PlanLayout::Input> inputs_of(std::uint32_t node) {
    const PlanLayout::Node& placed = layout_->nodes[node];
    return {layout_->inputs.data() + placed.inputs, layout_->inputs.data() + placed.inputs_end};
  }

  PlanLayout* layout_ = nullptr;
  std::vector<NodeState> nodes_;  // one more than nodes, to end the last one's readers
  std::vector<Reader> readers_;   // of all nodes in a row
  std::vector<std::uint32_t> by_order_;
  ReadySet ready_;
  std::vector<std::uint32_t> stack_;     // of ask()
  std::vector<std::uint32_t> unneeded_;  // of release_inputs()
  std::vector<std::uint32_t> lost_;      // of skip_dependants(), as is the next
  std::vector<std::uint32_t> skipped_;
  std::vector<std::uint32_t> released_;
};

template <class Reuse>
void Schedule::request(std::uint32_t node, Reuse&& reuse) {
  ask(node, reuse);
  skip_dependants();
}

// Depth first, the last input's source first, as ComfyUI adds nodes (comfy_execution/graph.py,
// TopologicalSort.add_node): the order decides among nodes that are equally close to an output.
template <class Reuse>
void Schedule::ask(std::uint32_t root, Reuse&& reuse) {
  if (nodes_[root].state != State::idle) return;
  stack_.assign(1, root);
  while (!stack_.empty()) {
    const std::uint32_t n = stack_.back();
    stack_.pop_back();
    NodeState& node = nodes_[n];
    if (node.state != State::idle) continue;
    node.state = State::waiting;
    node.order = static_cast<std::uint32_t>(by_order_.size());
    by_order_.push_back(n);
    bool lost = false;
    for (PlanLayout::Input& input : inputs_of(n)) {
      const std::uint32_t from = input.source;
      if (from == PlanLayout::kLiteral || input.lazy) continue;
      input.asked = true;
      State& state = nodes_[from].state;
      if (state == State::idle && reuse(from)) {
        state = State::reused;
        release_inputs(from);
      }
      if (state == State::done || state == State::reused) continue;
      lost |= state == State::failed || state == State::skipped;
      ++node.blocked;
      if (state == State::idle) stack_.push_back(from);
    }
    if (lost)
      lost_.push_back(n);
    else if (node.blocked == 0)
      make_ready(n);
  }
}

template <class Reuse>
Schedule::Source Schedule::demand(std::uint32_t node, std::uint32_t input, Reuse&& reuse) {
  const std::uint32_t from = layout_->inputs[input].source;
  layout_->inputs[input].asked = true;
  mark_link(from, node);
  if (nodes_[from].state == State::idle) {
    if (reuse(from)) {
      nodes_[from].state = State::reused;
      release_inputs(from);
    } else {
      ask(from, reuse);
      skip_dependants();
    }
  }
  if (has_result(from)) return Source::available;
  if (nodes_[from].state == State::failed || nodes_[from].state == State::skipped) return Source::lost;
  ++nodes_[node].blocked;
  return Source::pending;
}

}  // namespace refrain
