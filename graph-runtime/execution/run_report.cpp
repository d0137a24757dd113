// What a run tells: names of outcomes, the report as JSON, an observer that does nothing.

#include <refrain/host.hpp>
#include <refrain/runtime.hpp>
#include <refrain/value.hpp>

#include <algorithm>

#include "execution/run_host.hpp"
#include "execution/text.hpp"
#include "json/json_writer.hpp"

namespace refrain {

std::string_view name_of(NodeOutcome outcome) {
  switch (outcome) {
    case NodeOutcome::run: return "run";
    case NodeOutcome::reused: return "reused";
    case NodeOutcome::failed: return "failed";
    case NodeOutcome::skipped: return "skipped";
    case NodeOutcome::not_needed: return "not_needed";
    case NodeOutcome::stopped: return "stopped";
  }
  return "unknown";
}

std::string_view name_of(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::done: return "done";
    case RunOutcome::failed: return "failed";
    case RunOutcome::cancelled: return "cancelled";
  }
  return "unknown";
}

std::string NodeFailure::describe() const {
  std::string text = "Node " + cut(node_id, 100);
  if (!node_title.empty() && node_title != node_type) text += " '" + cut(node_title, 200) + "'";
  text += " (" + cut(node_type, 200) + ") failed: " + cut(exception_message, 2500);
  text += " [" + cut(code, 100) + "]";
  return text;
}

NodeRef RunReport::node(std::size_t index) const { return node_ref(*plan, static_cast<std::uint32_t>(index)); }

std::size_t RunReport::count(NodeOutcome outcome) const {
  return static_cast<std::size_t>(
      std::count_if(nodes.begin(), nodes.end(), [&](const NodeReport& node) { return node.outcome == outcome; }));
}

namespace {

void write_node(JsonWriter& json, const NodeRef& node) {
  json.member("id", node.id).member("type", node.type).member("title", node.title);
}

void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

void write_failure(JsonWriter& json, const NodeFailure& failure) {
  json.begin_object().member("node_id", failure.node_id).member("node_type", failure.node_type);
  json.member("title", failure.node_title).member("code", failure.code);
  json.member("exception_type", failure.exception_type).member("exception_message", failure.exception_message);
  write_texts(json, "traceback", failure.traceback);
  json.key("current_inputs").begin_object();
  for (const auto& [name, values] : failure.current_inputs) write_texts(json, name, values);
  json.end_object();
  write_texts(json, "current_outputs", failure.current_outputs);
  write_texts(json, "executed", failure.executed);
  json.end_object();
}

void write_nodes(JsonWriter& json, const RunReport& report) {
  json.key("nodes").begin_array();
  for (std::size_t i = 0; i < report.nodes.size(); ++i) {
    json.begin_object();
    write_node(json, report.node(i));
    json.member("outcome", name_of(report.nodes[i].outcome)).member("milliseconds", report.nodes[i].milliseconds);
    json.member("calls", report.nodes[i].calls).end_object();
  }
  json.end_array();
}

}  // namespace

std::string RunReport::json() const {
  JsonWriter json(JsonWriter::Style::indented);
  json.begin_object().member("outcome", name_of(outcome)).member("milliseconds", milliseconds);
  json.member("peak_memory_bytes", peak_memory).member("peak_device_memory_bytes", peak_device_memory);
  json.member("kept_bytes", kept_bytes);
  write_nodes(json, *this);
  json.key("records").begin_array();
  for (const NodeRecord& record : records) {
    json.begin_object();
    write_node(json, record.node);
    json.member("kind", record.kind).key("record").raw(record.json).end_object();
  }
  json.end_array();
  json.key("failures").begin_array();
  for (const NodeFailure& failure : failures) write_failure(json, failure);
  json.end_array();
  json.key("ui").begin_object();
  for (const auto& [id, shown] : ui) json.key(id).raw(shown);
  json.end_object();
  return json.end_object().take();
}

RunObserver::~RunObserver() = default;
void RunObserver::run_start(std::size_t) {}
void RunObserver::cached(std::span<const NodeRef>) {}
void RunObserver::executing(const NodeRef&) {}
void RunObserver::progress(const NodeRef&, std::int64_t, std::int64_t) {}
void RunObserver::executed(const NodeRef&, std::string_view) {}
void RunObserver::produced(const NodeRef&, std::span<const std::vector<Value>>) {}
void RunObserver::log(const NodeRef&, LogLevel, std::string_view) {}
bool RunObserver::wants_previews() const { return false; }
void RunObserver::preview(const NodeRef&, const at::Tensor&) {}
void RunObserver::error(const NodeFailure&) {}
void RunObserver::interrupted(const NodeRef&) {}
void RunObserver::run_end(const RunReport&) {}

}  // namespace refrain
