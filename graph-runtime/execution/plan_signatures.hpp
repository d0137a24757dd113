#pragma once
// The content signature of every node of a plan, and which nodes would compute the same.

#include <refrain/context.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "execution/node_traits.hpp"
#include "execution/plan_layout.hpp"
#include "execution/signature.hpp"
#include "planning/execution_plan.hpp"

namespace refrain {

/// Computes signatures for one run. A signature covers: the node's type with its library, literal inputs, the
/// signatures and slots upstream, stamps of the files that choices name, device, dtype, and the node's own fingerprint;
/// its id only where it could make a difference. Zero: the result must not be kept, nor anything made of it.
class PlanSignatures {
 public:
  /// Makes all signatures, in the plan's order. `host` gives device, dtype and files, and serves the nodes'
  /// fingerprints.
  void compute(const ExecutionPlan& plan, const PlanLayout& layout, Host& host);

  const Signature& of(std::uint32_t node) const { return signatures_[node]; }
  /// For each node the first one of the plan with its signature: itself for most. Output nodes stand for themselves
  /// alone.
  std::span<const std::uint32_t> same_as() const { return same_as_; }

 private:
  Signature signature(std::uint32_t node);
  bool add_inputs(const PlanLayout::Node& node);
  bool add_input(std::uint32_t input);
  bool add_link(const PlanLayout::Input& input);
  bool add_literal(std::int32_t port, const Value& literal);
  void add_files(std::uint32_t node);
  bool add_fingerprint(std::uint32_t node);
  std::uint32_t first_equal(std::uint32_t node);

  const ExecutionPlan* plan_ = nullptr;
  const PlanLayout* layout_ = nullptr;
  Host* host_ = nullptr;
  std::uint64_t place_ = 0;  // device and dtype
  SignatureBuilder builder_;
  std::vector<Signature> signatures_;
  std::vector<std::uint32_t> same_as_;
  std::vector<std::uint32_t> table_;   // open addressing by signature, twice as long as the plan
  std::vector<std::uint32_t> sorted_;  // inputs of one node by port
};

}  // namespace refrain
