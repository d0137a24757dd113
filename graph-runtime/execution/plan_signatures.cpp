#include "execution/plan_signatures.hpp"

#include <refrain/node.hpp>

#include <algorithm>
#include <bit>
#include <exception>
#include <string>

#include "execution/file_folders.hpp"

namespace refrain {

namespace {
constexpr std::uint32_t kEmpty = 0xFFFFFFFFu;

/// What stands before each part, so that no two different nodes give the same bytes.
enum class Part : std::uint8_t { link, undeclared, file, fingerprint, id, nothing, integer, real, boolean, text };
}  // namespace

NodeObject make_node(const NodeType& type) {
  return NodeObject(type.entry->create(), NodeDeleter{type.entry});
}

void PlanSignatures::compute(const ExecutionPlan& plan, std::span<const NodeTraits* const> traits, Host& host) {
  plan_ = &plan;
  host_ = &host;
  place_ = {host.device().type(), host.device().index(), host.dtype()};
  const std::size_t count = plan.nodes().size();
  signatures_.assign(count, Signature{});
  same_as_.resize(count);
  table_.assign(std::bit_ceil(2 * count + 1), kEmpty);
  for (std::uint32_t n = 0; n < count; ++n) {
    const PlannedNode& node = plan.nodes()[n];
    signatures_[n] = signature(node, *traits[n]);
    same_as_[n] = signatures_[n] && !node.output ? first_equal(n) : n;
  }
}

Signature PlanSignatures::signature(const PlannedNode& node, const NodeTraits& traits) {
  if (traits.sees_workflow) return {};
  const std::span<const PlannedInput> inputs = plan_->inputs(node);
  builder_.clear();
  builder_.add(node.type->identity);
  builder_.add(place_);
  if (!add_inputs(inputs)) return {};
  if (!traits.files.empty()) add_files(inputs, traits);
  if (traits.overrides(abi::kFingerprint) && !add_fingerprint(node, inputs)) return {};
  if (traits.own_identity) {
    builder_.add(Part::id);
    builder_.add_text(node.id);
  }
  return builder_.finish();
}

/// In the order of the ports, whatever the order in the file. False when an input has no signature.
bool PlanSignatures::add_inputs(std::span<const PlannedInput> inputs) {
  bool ordered = true;
  for (std::size_t i = 1; i < inputs.size(); ++i) ordered = ordered && inputs[i - 1].port < inputs[i].port;
  if (ordered) return std::all_of(inputs.begin(), inputs.end(), [this](const PlannedInput& in) { return add_input(in); });
  sorted_.clear();
  for (const PlannedInput& input : inputs) sorted_.push_back(&input);
  std::sort(sorted_.begin(), sorted_.end(), [](const PlannedInput* a, const PlannedInput* b) {
    return a->port != b->port ? a->port < b->port : a->name < b->name;  // undeclared ones all have port -1
  });
  return std::all_of(sorted_.begin(), sorted_.end(), [this](const PlannedInput* in) { return add_input(*in); });
}

bool PlanSignatures::add_input(const PlannedInput& input) {
  builder_.add(input.port);
  if (input.port < 0) {
    builder_.add(Part::undeclared);
    builder_.add_text(input.name);
  }
  if (input.source < 0) return add_literal(input.literal);
  const Signature& source = signatures_[static_cast<std::uint32_t>(input.source)];
  builder_.add(Part::link);
  builder_.add(source);
  builder_.add(input.slot);
  return static_cast<bool>(source);
}

/// False for a literal of a type whose contents are not known here.
bool PlanSignatures::add_literal(const Value& literal) {
  const Type& type = literal.type();
  if (!literal) {
    builder_.add(Part::nothing);
  } else if (type == TypeOf<std::int64_t>::get()) {
    builder_.add(Part::integer);
    builder_.add(literal.as<std::int64_t>());  // seeds are the same 64 bits
  } else if (type == TypeOf<double>::get()) {
    builder_.add(Part::real);
    builder_.add(literal.as<double>());
  } else if (type == TypeOf<bool>::get()) {
    builder_.add(Part::boolean);
    builder_.add(literal.as<bool>());
  } else if (type == TypeOf<std::string>::get()) {
    builder_.add(Part::text);
    builder_.add_text(literal.as<std::string>());
  } else {
    return false;
  }
  return true;
}

void PlanSignatures::add_files(std::span<const PlannedInput> inputs, const NodeTraits& traits) {
  for (const NodeTraits::FileInput& file : traits.files) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& in) { return in.port == file.port; });
    if (input == inputs.end() || input->source >= 0 || !input->literal) continue;
    builder_.add(Part::file);
    builder_.add(file.port);
    try {
      builder_.add(stamp_of(host_->find_file(file.folder, input->literal.as<std::string>())));
    } catch (const std::exception&) {
      builder_.add(FileStamp{});  // not there: the node will say so, or the choice is no file at all
    }
  }
}

/// False when the node says that it is never the same twice.
bool PlanSignatures::add_fingerprint(const PlannedNode& node, std::span<const PlannedInput> inputs) {
  std::vector<Slot> slots;
  for (const PlannedInput& input : inputs)
    if (input.source < 0) slots.push_back({input.name, {&input.literal, 1}});
  Frame frame;
  frame.host = host_;
  frame.inputs = slots;
  frame.schema = &node.type->schema;
  try {
    const Fingerprint fingerprint = make_node(*node.type)->fingerprint(Literals(frame, nullptr));
    if (!fingerprint) return false;
    builder_.add(Part::fingerprint);
    builder_.add_text(*fingerprint);
    return true;
  } catch (...) {
    return false;  // as in ComfyUI: a failing IS_CHANGED means run again
  }
}

std::uint32_t PlanSignatures::first_equal(std::uint32_t node) {
  const std::size_t mask = table_.size() - 1;
  std::size_t place = signatures_[node].low & mask;
  for (; table_[place] != kEmpty; place = (place + 1) & mask)
    if (signatures_[table_[place]] == signatures_[node]) return table_[place];
  return table_[place] = node;
}

}  // namespace refrain
