#pragma once
// Changing a workflow into one of those that are compared.

#include <cstdint>

#include "compare/policy_spec.hpp"
#include "compare/subject.hpp"
#include "graph/workflow_graph.hpp"
#include "plugins/registry.hpp"

namespace refrain::cli {

/// Takes out every node but those that the subject's picture needs: other outputs would cost time and write files.
void keep_only(WorkflowGraph& graph, const Subject& subject);

/// Sets every seed of the subject, one that is linked too.
void set_seed(WorkflowGraph& graph, const Registry& registry, const Subject& subject, std::uint64_t seed);

/// Shortens the run to `steps` at the largest of the subject's step counts; the others, and where a part of a run
/// begins and ends, in proportion.
void set_steps(WorkflowGraph& graph, const Registry& registry, const Subject& subject, std::int64_t steps);

/// Puts a policy in front of everything that samples with a model. Any node type with an output CACHE_POLICY is a
/// policy, put on the model by the node that takes both; so is one that takes a MODEL and gives one, EasyCache say.
/// Caches that the workflow has already are passed by.
/// Throws ValidationError (unknown_policy) listing those that there are, or WorkflowError for a setting that the node
/// does not have.
void insert_policy(WorkflowGraph& graph, const Registry& registry, const Subject& subject, const PolicySpec& policy);

}  // namespace refrain::cli
