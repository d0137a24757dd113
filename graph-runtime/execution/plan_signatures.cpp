#include "execution/plan_signatures.hpp"

#include <refrain/node.hpp>

#include <algorithm>
#include <bit>
#include <exception>
#include <numeric>
#include <string>

#include "execution/file_folders.hpp"

namespace refrain {

namespace {
constexpr std::uint32_t kEmpty = 0xFFFFFFFFu;

/// Of what belongs to no declared port.
constexpr std::int32_t kNoPort = -1;

/// Marks a slot's number as one; no part has this bit.
constexpr std::uint32_t kLinkMark = 0x80000000u;

/// What stands before everything else, so that no two different nodes give the same bytes.
enum class Part : std::uint32_t { undeclared, file, fingerprint, id, nothing, integer, real, boolean, text };

/// A port with what its input is.
std::uint64_t port_and(std::int32_t port, std::uint32_t what) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(port)) << 32) | what;
}
std::uint64_t port_and(std::int32_t port, Part part) { return port_and(port, static_cast<std::uint32_t>(part)); }
}  // namespace

void PlanSignatures::compute(const ExecutionPlan& plan, const PlanLayout& layout, Host& host) {
  plan_ = &plan;
  layout_ = &layout;
  host_ = &host;
  place_ = (static_cast<std::uint64_t>(static_cast<std::uint8_t>(host.device().type())) << 16) |
           (static_cast<std::uint64_t>(static_cast<std::uint8_t>(host.device().index())) << 8) |
           static_cast<std::uint64_t>(static_cast<std::uint8_t>(host.dtype()));
  const std::size_t count = layout.nodes.size();
  signatures_.resize(count);
  same_as_.resize(count);
  table_.assign(std::bit_ceil(2 * count + 1), kEmpty);
  for (std::uint32_t n = 0; n < count; ++n) signatures_[n] = signature(n);
  // A loop of its own: so small that the CPU waits for many of the table's scattered places at a time.
  for (std::uint32_t n = 0; n < count; ++n)
    same_as_[n] = signatures_[n] && !layout.nodes[n].output ? first_equal(n) : n;
}

Signature PlanSignatures::signature(std::uint32_t n) {
  const PlanLayout::Node& node = layout_->nodes[n];
  const NodeTraits& traits = *node.traits;
  if (traits.sees_workflow) return {};
  builder_.clear();
  builder_.add(traits.type->identity, place_);
  if (!add_inputs(node)) return {};
  if (!traits.files.empty()) add_files(n);
  if (traits.overrides(abi::kFingerprint) && !add_fingerprint(n)) return {};
  if (traits.own_identity) {
    builder_.add(port_and(kNoPort, Part::id));
    builder_.add_text(plan_->nodes()[n].id);
  }
  return builder_.finish();
}

/// In the order of the ports, whatever the order in the file. False when an input has no signature.
bool PlanSignatures::add_inputs(const PlanLayout::Node& node) {
  if (node.ordered) {
    for (std::uint32_t i = node.inputs; i != node.inputs_end; ++i) {
      const PlanLayout::Input& input = layout_->inputs[i];
      if (!(input.source != PlanLayout::kLiteral && input.port >= 0 ? add_link(input) : add_input(i))) return false;
    }
    return true;
  }
  sorted_.resize(node.inputs_end - node.inputs);
  std::iota(sorted_.begin(), sorted_.end(), node.inputs);
  std::sort(sorted_.begin(), sorted_.end(), [this](std::uint32_t a, std::uint32_t b) {
    const std::int32_t port_a = layout_->inputs[a].port, port_b = layout_->inputs[b].port;
    if (port_a != port_b) return port_a < port_b;
    return port_a < 0 && plan_->inputs()[a].name < plan_->inputs()[b].name;  // undeclared ones all have port -1
  });
  return std::all_of(sorted_.begin(), sorted_.end(), [this](std::uint32_t input) { return add_input(input); });
}

bool PlanSignatures::add_input(std::uint32_t i) {
  const PlanLayout::Input& input = layout_->inputs[i];
  if (input.port < 0) {
    builder_.add(port_and(kNoPort, Part::undeclared));
    builder_.add_text(plan_->inputs()[i].name);
  }
  if (input.source == PlanLayout::kLiteral) return add_literal(input.port, plan_->literal(plan_->inputs()[i]));
  return add_link(input);
}

bool PlanSignatures::add_link(const PlanLayout::Input& input) {
  const Signature source = signatures_[input.source];
  builder_.add(port_and(input.port, input.slot | kLinkMark), source.low, source.high);
  return static_cast<bool>(source);
}

/// False for a literal of a type whose contents are not known here.
bool PlanSignatures::add_literal(std::int32_t port, const Value& literal) {
  const Type& type = literal.type();
  if (!literal) {
    builder_.add(port_and(port, Part::nothing), std::uint64_t{0});
  } else if (type == TypeOf<std::int64_t>::get()) {  // seeds are the same 64 bits
    builder_.add(port_and(port, Part::integer), std::bit_cast<std::uint64_t>(literal.as<std::int64_t>()));
  } else if (type == TypeOf<double>::get()) {
    builder_.add(port_and(port, Part::real), std::bit_cast<std::uint64_t>(literal.as<double>()));
  } else if (type == TypeOf<bool>::get()) {
    builder_.add(port_and(port, Part::boolean), std::uint64_t{literal.as<bool>()});
  } else if (type == TypeOf<std::string>::get()) {
    const std::string& text = literal.as<std::string>();
    builder_.add(port_and(port, Part::text));
    builder_.add_text(text);
  } else {
    return false;
  }
  return true;
}

void PlanSignatures::add_files(std::uint32_t node) {
  const std::span<const PlannedInput> inputs = plan_->inputs(plan_->nodes()[node]);
  for (const NodeTraits::FileInput& file : layout_->nodes[node].traits->files) {
    const auto input = std::find_if(inputs.begin(), inputs.end(), [&](const auto& in) { return in.port == file.port; });
    if (input == inputs.end() || input->source >= 0) continue;
    FileStamp stamp;
    try {
      stamp = stamp_of(host_->find_file(file.folder, plan_->literal(*input).as<std::string>()));
    } catch (const std::exception&) {
      // not there: the node will say so, or the choice is no file at all
    }
    builder_.add(port_and(file.port, Part::file), stamp.size, std::bit_cast<std::uint64_t>(stamp.modified_ns),
                 stamp.inode);
  }
}

/// False when the node says that it is never the same twice.
bool PlanSignatures::add_fingerprint(std::uint32_t node) {
  const NodeType& type = *layout_->nodes[node].traits->type;
  std::vector<Slot> slots;
  for (const PlannedInput& input : plan_->inputs(plan_->nodes()[node]))
    if (input.source < 0) slots.push_back({input.name, {&plan_->literal(input), 1}});
  Frame frame;
  frame.host = host_;
  frame.inputs = slots;
  frame.schema = &type.schema;
  try {
    const Fingerprint fingerprint = make_node(type)->fingerprint(Literals(frame, nullptr));
    if (!fingerprint) return false;
    builder_.add(port_and(kNoPort, Part::fingerprint));
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
