#include "trace_file.hpp"

#include <fmt/format.h>

#include "compare/comparison.hpp"
#include "json/json_writer.hpp"
#include "whole_file.hpp"

namespace refrain::cli {

void TraceFile::begin(std::string source) {
  const std::lock_guard lock(mutex_);
  source_ = std::move(source);
  run_began_ = now();
  of_run_ = slices_.size();
}

void TraceFile::executing(const NodeRef& node) {
  if (!wanted()) return;
  close("waits for its lazy inputs");  // else the last one has been closed
  const std::lock_guard lock(mutex_);
  open_ = {fmt::format("{} [{}]", node.title, node.id), "node", std::string(node.id), 0, now(), 0, {}};
  step_began_ = open_.begin;
}

void TraceFile::progress(const NodeRef& node, std::int64_t value, std::int64_t max) {
  if (!wanted()) return;
  const std::lock_guard lock(mutex_);
  if (open_.node != node.id || open_.name.empty()) return;  // of deferred work, beside the node that runs
  const double end = now();
  slices_.push_back(
      {fmt::format("step {} of {}", value, max), "step", open_.node, value, step_began_, end - step_began_, {}});
  step_began_ = end;
}

void TraceFile::executed(const NodeRef&, std::string_view) { close(""); }
void TraceFile::error(const NodeFailure&) { close("failed"); }
void TraceFile::interrupted(const NodeRef&) { close("interrupted"); }

void TraceFile::close(const char* how) {
  if (!wanted()) return;
  const std::lock_guard lock(mutex_);
  if (open_.name.empty()) return;
  open_.duration = now() - open_.begin;
  open_.does = how;
  slices_.push_back(std::move(open_));
  open_ = {};
}

void TraceFile::run_end(const RunReport& report) {
  if (!wanted()) return;
  const std::lock_guard lock(mutex_);
  for (const NodeRecord& record : report.records) {
    if (record.kind != "sampling") continue;
    SamplingCost cost;
    add_sampling_record(cost, record.json);
    for (std::size_t i = of_run_; i < slices_.size(); ++i) {
      Slice& slice = slices_[i];
      if (slice.category != "step" || slice.node != record.node.id) continue;
      for (const ActionTaken& action : cost.actions) {
        if (action.step + 1 == slice.step) slice.does += (slice.does.empty() ? "" : ", ") + action.action;
      }
    }
  }
  slices_.push_back({source_, "workflow", {}, 0, run_began_, now() - run_began_, {}});
}

void TraceFile::write() const {
  if (!wanted()) return;
  const std::lock_guard lock(mutex_);
  JsonWriter json;
  json.begin_object().member("displayTimeUnit", "ms").key("traceEvents").begin_array();
  for (const Slice& slice : slices_) {
    json.begin_object().member("name", slice.name).member("cat", slice.category).member("ph", "X");
    json.member("ts", slice.begin).member("dur", slice.duration).member("pid", 1).member("tid", 1);
    json.key("args").begin_object();
    if (!slice.node.empty()) json.member("node", slice.node);
    if (!slice.does.empty()) json.member(slice.category == "step" ? "computed" : "outcome", slice.does);
    json.end_object().end_object();
  }
  json.end_array().end_object();
  write_whole_file(file_, json.take() + "\n");
}

}  // namespace refrain::cli
