#include "graph/graph_order.hpp"

#include <algorithm>
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

  GraphOrder take() {
    if (file_order_) {
      order_.nodes.clear();
      for (std::uint32_t node = 0; node < marks_.size(); ++node) {
        if (marks_[node] == Mark::done) order_.nodes.push_back(node);
      }
    }
    return std::move(order_);
  }

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
      if (source >= top.node) file_order_ = false;
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
  bool file_order_ = true;  // every source seen so far stands before its reader
  GraphOrder order_;
};

}  // namespace

GraphOrder order_from(const WorkflowGraph& graph, std::span<const std::uint32_t> roots) {
  DepthFirst walk(graph);
  for (std::uint32_t root : roots) walk.visit(root);
  return walk.take();
}

}  // namespace refrain
