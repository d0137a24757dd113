#include "planning/execution_plan.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>

#include "json/input_value.hpp"
#include "json/json_writer.hpp"

namespace refrain {
namespace {

// What a converted literal looks like in JSON; false where ComfyUI keeps the literal as it was written.
bool write_converted(JsonWriter& json, const Input& port, const Value& value) {
  const std::string_view type = port.type.name;
  if (type == "INT" && std::holds_alternative<std::uint64_t>(port.value))
    json.value(value.as<std::uint64_t>());
  else if (type == "INT")
    json.value(value.as<std::int64_t>());
  else if (type == "FLOAT")
    json.value(value.as<double>());
  else if (type == "STRING" || port.choice)
    json.value(value.as<std::string>());
  else if (type == "BOOLEAN")
    json.value(value.as<bool>());
  else
    return false;
  return true;
}

class PromptWriter {
 public:
  explicit PromptWriter(const ExecutionPlan& plan) : plan_(plan) {
    for (const PlannedNode& node : plan.nodes()) planned_.emplace(node.id, &node);
  }

  std::string write() {
    json_.begin_object();
    for (const GraphNode& node : plan_.graph().nodes) {
      json_.key(node.id).begin_object();
      if (node.members.empty()) {
        json_.member("class_type", node.class_type);
        write_inputs(node);
      }
      for (const GraphMember& member : node.members) write_member(node, member);
      json_.end_object();
    }
    return json_.end_object().take();
  }

 private:
  void write_member(const GraphNode& node, const GraphMember& member) {
    if (member.name == "class_type")
      json_.member(member.name, node.class_type);
    else if (member.name == "inputs")
      write_inputs(node);
    else
      json_.key(member.name).raw(member.json);
  }

  void write_inputs(const GraphNode& node) {
    const auto found = planned_.find(node.id);
    const PlannedNode* planned = found == planned_.end() ? nullptr : found->second;
    json_.key("inputs").begin_object();
    for (const GraphInput& input : node.inputs) {
      json_.key(input.name);
      if (!planned || !write_literal(*planned, input)) json_.raw(input_json(input.value));
    }
    json_.end_object();
  }

  bool write_literal(const PlannedNode& planned, const GraphInput& input) {
    const auto inputs = plan_.inputs(planned);
    const auto found =
        std::find_if(inputs.begin(), inputs.end(), [&](const PlannedInput& i) { return i.name == input.name; });
    if (found == inputs.end() || found->source >= 0 || found->port < 0) return false;
    return write_converted(json_, planned.type->schema.inputs[static_cast<std::size_t>(found->port)],
                           plan_.literal(*found));
  }

  const ExecutionPlan& plan_;
  std::unordered_map<std::string_view, const PlannedNode*> planned_;
  JsonWriter json_{JsonWriter::Style::python};
};

}  // namespace

const std::string& ExecutionPlan::prompt_json() const {
  if (prompt_json_.empty()) prompt_json_ = PromptWriter(*this).write();
  return prompt_json_;
}

}  // namespace refrain
