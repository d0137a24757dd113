#include "json_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "json/json_document.hpp"
#include "json/json_writer.hpp"
#include "planning/execution_plan.hpp"
#include "saved_file.hpp"
#include "version.hpp"

namespace refrain::cli {
namespace {

constexpr std::chrono::milliseconds kProgressPause{100};  // comfy-cli: about ten a second for each node

JsonWriter begin_event(const char* type) {
  JsonWriter json;
  json.begin_object().member("schema", "event/1").member("type", type);
  return json;
}

/// A line must be readable as soon as it is there: pipes are not flushed by themselves.
void write_line(std::FILE* stream, JsonWriter& json) {
  fmt::print(stream, "{}\n", json.end_object().take());
  std::fflush(stream);
}

void write_texts(JsonWriter& json, const char* name, const std::vector<std::string>& texts) {
  json.key(name).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

/// A random version 4 UUID in lower case, as ComfyUI's prompt ids are; the kernel makes them.
std::string new_uuid() {
  std::ifstream file("/proc/sys/kernel/random/uuid");
  std::string uuid;
  std::getline(file, uuid);
  return uuid;
}

void write_node(JsonWriter& json, const NodeRef& node) {
  json.member("node", node.id).member("title", node.title).member("class_type", node.type);
}

std::string absolute_text(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

}  // namespace

EnvelopeError error_of(std::span<const Diagnostic> diagnostics) {
  // ComfyUI keeps the errors by node; comfy-cli lists them.
  const JsonDocument reply = JsonDocument::parse(to_json(diagnostics), "diagnostics");
  JsonWriter details;
  details.begin_object().key("node_errors").begin_array();
  const auto nodes = reply.root().find("node_errors");
  if (nodes && nodes->is(JsonKind::object)) {
    for (const JsonView node : *nodes) {
      details.begin_object().member("node_id", node.key());
      for (const JsonView member : node) details.key(member.key()).raw(python_json(member));
      details.end_object();
    }
  }
  details.end_array().end_object();
  return {error_code(diagnostics), render(diagnostics), details.take()};
}

RunEvents::RunEvents(std::FILE* stream, std::string source, const RuntimeOptions& folders)
    : stream_(stream), source_(std::move(source)), folders_(folders), prompt_id_(new_uuid()) {}

void RunEvents::begin(const CheckedWorkflow& workflow) {
  const ExecutionPlan& plan = workflow.plan();
  JsonWriter preview = begin_event("prompt_preview");
  preview.key("prompt").raw(plan.prompt_json());
  write_line(stream_, preview);
  JsonWriter queued = begin_event("queued");
  queued.member("prompt_id", prompt_id_).key("client_id").null();
  queued.key("validation_warnings").begin_array().end_array().key("nodes").begin_array();
  for (const PlannedNode& node : plan.nodes()) {
    queued.begin_object().member("node_id", node.id).member("class_type", node.type->schema.name);
    queued.member("title", node.title).end_object();
  }
  queued.end_array();
  write_line(stream_, queued);
}

void RunEvents::write_node_event(const char* type, const NodeRef& node) {
  JsonWriter json = begin_event(type);
  write_node(json, node);
  json.member("prompt_id", prompt_id_);
  write_line(stream_, json);
}

void RunEvents::cached(std::span<const NodeRef> nodes) {
  const std::lock_guard lock(mutex_);
  for (const NodeRef& node : nodes) {
    write_node_event("execution_cached", node);
    cached_ids_.emplace_back(node.id);
  }
}

void RunEvents::executing(const NodeRef& node) {
  const std::lock_guard lock(mutex_);
  write_node_event("executing", node);
  if (std::find(executed_ids_.begin(), executed_ids_.end(), node.id) == executed_ids_.end()) {
    executed_ids_.emplace_back(node.id);
  }
}

void RunEvents::progress(const NodeRef& node, std::int64_t value, std::int64_t max) {
  const std::lock_guard lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  auto& told = told_[std::string(node.id)];
  if (value < max && now - told < kProgressPause) return;
  told = now;
  JsonWriter json = begin_event("progress");
  json.member("node", node.id).member("title", node.title).member("completed", value).member("total", max);
  json.member("prompt_id", prompt_id_);
  write_line(stream_, json);
}

void RunEvents::executed(const NodeRef& node, std::string_view ui) {
  const std::lock_guard lock(mutex_);
  JsonWriter json = begin_event("executed");
  write_node(json, node);
  json.key("outputs").begin_array();
  for (const SavedFile& file : saved_in(ui, folders_)) {
    json.begin_object().member("category", file.category).member("node_id", node.id).member("class_type", node.type);
    json.member("title", node.title).member("filename", file.filename).member("subfolder", file.subfolder);
    json.member("type", file.type).member("url", absolute_text(file.path)).end_object();
  }
  json.end_array().member("prompt_id", prompt_id_);
  write_line(stream_, json);
}

void RunEvents::error(const NodeFailure& failure) {
  const std::lock_guard lock(mutex_);
  JsonWriter details;
  details.begin_object().member("node_id", failure.node_id).member("class_type", failure.node_type);
  details.member("title", failure.node_title).member("code", failure.code);
  details.member("exception_type", failure.exception_type).member("exception_message", failure.exception_message);
  details.member("traceback", joined_lines(failure.traceback)).end_object();
  const std::string text = details.take();
  JsonWriter json = begin_event("execution_error");
  json.member("prompt_id", prompt_id_).key("details").raw(text);
  write_line(stream_, json);
  if (failure_.code.empty()) failure_ = {"execution_error", failure.describe(), text};
}

void RunEvents::run_end(const RunReport& report) {
  const std::lock_guard lock(mutex_);
  JsonWriter by_node;
  by_node.begin_object();
  for (const auto& [node, ui] : report.ui) {
    std::vector<std::string> files;
    for (const SavedFile& file : saved_in(ui, folders_)) {
      if (!std::filesystem::exists(file.path)) continue;
      files.push_back(absolute_text(file.path));
      JsonWriter json = begin_event("output");
      json.member("url", files.back()).member("prompt_id", prompt_id_);
      write_line(stream_, json);
    }
    if (!files.empty()) write_texts(by_node, node.c_str(), files);
    outputs_.insert(outputs_.end(), files.begin(), files.end());
  }
  by_node.end_object();
  if (report.outcome == RunOutcome::cancelled) failure_ = {"cancelled", "the run was interrupted", {}};
  JsonWriter json;
  json.begin_object().member("workflow", source_ == "<stdin>" ? source_ : absolute_text(source_));
  json.member("status", report.outcome == RunOutcome::done        ? "completed"
                        : report.outcome == RunOutcome::cancelled ? "cancelled"
                                                                  : "failed");
  json.member("prompt_id", prompt_id_).key("client_id").null();
  write_texts(json, "outputs", outputs_);
  json.key("outputs_by_node").raw(by_node.take());
  write_texts(json, "cached_node_ids", cached_ids_);
  write_texts(json, "executed_node_ids", executed_ids_);
  json.member("elapsed_seconds", report.milliseconds / 1000).end_object();
  data_ = json.take();
}

void write_envelope(std::FILE* stream, std::string_view command, const std::string& data, const EnvelopeError& error) {
  JsonWriter json;
  json.begin_object().member("schema", "envelope/1").member("type", "envelope").member("ok", error.code.empty());
  json.member("command", command).member("version", kVersion).member("where", "local").key("data");
  data.empty() ? json.null() : json.raw(data);
  json.key("error");
  if (error.code.empty()) {
    json.null();
  } else {
    json.begin_object().member("code", error.code).member("message", error.message).key("hint").null().key("details");
    error.details.empty() ? json.null() : json.raw(error.details);
    json.end_object();
  }
  write_line(stream, json);
}

std::string joined_data(const std::vector<std::string>& runs, const std::vector<std::string>& outputs, bool done) {
  if (runs.empty()) return {};
  if (runs.size() == 1) return runs.front();
  JsonWriter json;
  json.begin_object().member("status", done ? "completed" : "failed");
  write_texts(json, "outputs", outputs);
  json.key("runs").begin_array();
  for (const std::string& run : runs) json.raw(run);
  return json.end_array().end_object().take();
}

}  // namespace refrain::cli
