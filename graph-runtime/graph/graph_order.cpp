#include "graph/graph_order.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace refrain {
namespace {

enum class Mark : std::uint8_t { unseen, open, done };

struct Visit {
  std::uint32_t node;
  std::uint32_t next_link;
};

class DepthFirst {
 public:
  explicit DepthFirst(const WorkflowGraph& graph) : graph_(graph), marks_(graph.nodes.size(), Mark::unseen) {
    order_.nodes.reserve(graph.nodes.size());
  }

  void visit(std::uint32_t root) {
    if (marks_[root] != Mark::unseen) return;
    open(root);
    while (!stack_.empty()) {
      if (!descend()) close();
    }
  }

  GraphOrder take() { return std::move(order_); }

 private:
  void open(std::uint32_t node) {
    marks_[node] = Mark::open;
    stack_.push_back({node, graph_.first_link[node]});
  }

  void close() {
    marks_[stack_.back().node] = Mark::done;
    order_.nodes.push_back(stack_.back().node);
    stack_.pop_back();
  }

  // Opens the next unseen source of the node on top; false when it has none left.
  bool descend() {
    Visit& top = stack_.back();
    const std::uint32_t end = graph_.first_link[top.node + 1];
    while (top.next_link < end) {
      const std::uint32_t source = graph_.link_sources[top.next_link++];
      if (marks_[source] == Mark::done) continue;
      if (marks_[source] == Mark::open) {
        record_cycle(source);
        continue;
      }
      open(source);
      return true;
    }
    return false;
  }

  void record_cycle(std::uint32_t source) {
    if (order_.cycles.size() == GraphOrder::kMostCycles) return;
    auto start = std::find_if(stack_.rbegin(), stack_.rend(), [&](const Visit& v) { return v.node == source; });
    std::vector<std::uint32_t>& cycle = order_.cycles.emplace_back();
    for (auto visit = start.base() - 1; visit != stack_.end(); ++visit) cycle.push_back(visit->node);
  }

  const WorkflowGraph& graph_;
  std::vector<Mark> marks_;
  std::vector<Visit> stack_;
  GraphOrder order_;
};

/// What `roots` need, where every source stands before its readers: one sweep from the end of the file finds it.
/// Nothing where one does not.
std::optional<std::vector<std::uint32_t>> in_file_order(const WorkflowGraph& graph,
                                                        std::span<const std::uint32_t> roots) {
  std::vector<std::uint8_t> needed(graph.nodes.size(), false);
  for (const std::uint32_t root : roots) needed[root] = true;
  for (auto node = static_cast<std::uint32_t>(graph.nodes.size()); node-- > 0;) {
    if (!needed[node]) continue;
    for (const std::uint32_t source : graph.sources_of(node)) {
      if (source >= node) return std::nullopt;
      needed[source] = true;
    }
  }
  std::vector<std::uint32_t> nodes;
  nodes.reserve(needed.size());
  for (std::uint32_t node = 0; node < needed.size(); ++node)
    if (needed[node]) nodes.push_back(node);
  return nodes;
}

}  // namespace

GraphOrder order_from(const WorkflowGraph& graph, std::span<const std::uint32_t> roots) {
  if (auto nodes = in_file_order(graph, roots)) return {std::move(*nodes), {}};
  DepthFirst walk(graph);
  for (std::uint32_t root : roots) walk.visit(root);
  return walk.take();
}

}  // namespace refrain
