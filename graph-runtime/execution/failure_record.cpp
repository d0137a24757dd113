#include "execution/failure_record.hpp"

#include <cstdio>

#include "execution/text.hpp"

namespace refrain {

namespace {

constexpr std::size_t kLongestValue = 200;
constexpr std::size_t kMostItems = 20;

std::string describe_value(const Value& value) {
  if (!value) return "nothing";
  const Type& type = value.type();
  if (type == TypeOf<std::int64_t>::get()) return std::to_string(value.as<std::int64_t>());
  if (type == TypeOf<bool>::get()) return value.as<bool>() ? "true" : "false";
  if (type == TypeOf<std::string>::get()) return cut(value.as<std::string>(), kLongestValue);
  if (type == TypeOf<double>::get()) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", value.as<double>());
    return text;
  }
  return std::string(type.name);
}

}  // namespace

NodeFailure make_failure(const ExecutionPlan& plan, std::uint32_t node, CaughtException caught) {
  const PlannedNode& planned = plan.nodes()[node];
  NodeFailure failure;
  failure.node_id = planned.id;
  failure.node_title = planned.title;
  failure.node_type = planned.type->schema.name;
  failure.code = std::move(caught.code);
  failure.exception_type = std::move(caught.type);
  failure.exception_message = std::move(caught.message);
  failure.traceback.push_back("node " + failure.node_id + ": " + failure.node_type + " of library " +
                              planned.type->library + " " + planned.type->library_version + " (" +
                              planned.type->library_file.string() + ")");
  return failure;
}

std::vector<std::pair<std::string, std::vector<std::string>>> describe_inputs(std::span<const Slot> inputs) {
  std::vector<std::pair<std::string, std::vector<std::string>>> described;
  for (const Slot& input : inputs) {
    std::vector<std::string> values;
    for (const Value& value : input.values) {
      if (values.size() == kMostItems) {
        values.push_back("... (" + std::to_string(input.values.size() - kMostItems) + " more)");
        break;
      }
      values.push_back(describe_value(value));
    }
    described.emplace_back(input.name, std::move(values));
  }
  return described;
}

}  // namespace refrain
