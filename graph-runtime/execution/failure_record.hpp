#pragma once
// ComfyUI's error record, made from a node and what it threw.

#include <refrain/context.hpp>
#include <refrain/runtime.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "execution/exception_boundary.hpp"
#include "planning/execution_plan.hpp"

namespace refrain {

/// The record without inputs and progress.
NodeFailure make_failure(const ExecutionPlan& plan, std::uint32_t node, CaughtException caught);

/// The inputs of a call for people: numbers and text, cut; of everything else the type's name. At most 20 items an
/// input.
std::vector<std::pair<std::string, std::vector<std::string>>> describe_inputs(std::span<const Slot> inputs);

}  // namespace refrain
