#include "compare/comparison_json.hpp"

#include "json/json_writer.hpp"
#include "version.hpp"

namespace refrain::cli {
namespace {

void write_spread(JsonWriter& json, const char* name, const Spread& spread) {
  json.key(name).begin_object();
  json.member("median", spread.median).member("min", spread.least).member("max", spread.most).end_object();
}

void write_action(JsonWriter& json, const ActionTaken& action) {
  json.begin_object().member("step", action.step).member("stage", action.stage).member("sigma", action.sigma);
  json.member("action", action.action);
  if (!action.why.empty()) json.member("why", action.why);
  json.member("milliseconds", action.milliseconds).end_object();
}

void write_run(JsonWriter& json, const SeedRun& run) {
  json.begin_object().member("seed", run.seed).member("milliseconds", run.cost.milliseconds);
  json.member("macs", run.cost.macs).member("macs_uncached", run.cost.macs_uncached);
  json.member("psnr_db", run.error.psnr).member("ssim", run.error.ssim);
  json.member("latent_relative_l2", run.error.latent_relative_l2).member("latent_max_abs", run.error.latent_max_abs);
  if (run.cost.ideal_by_costs > 0) json.member("speed_up_ideal_by_costs", run.cost.ideal_by_costs);
  json.member("kept_bytes", run.cost.kept_bytes);
  json.member("policy", run.cost.policy).key("actions").begin_array();
  for (const ActionTaken& action : run.cost.actions) write_action(json, action);
  json.end_array().end_object();
}

void write_entry(JsonWriter& json, const Comparison& comparison, const Entry& entry) {
  json.begin_object().member("label", entry.label).member("workflow", entry.workflow);
  json.key("policy");
  entry.policy.empty() ? json.null() : json.value(entry.policy);
  json.key("steps");
  entry.steps == 0 ? json.null() : json.value(entry.steps);
  json.key("equal_time_to");
  entry.equal_time_to ? json.value(comparison.entries[*entry.equal_time_to].label) : json.null();
  write_spread(json, "milliseconds", entry.over_seeds(sampling_time));
  json.member("speed_up", comparison.speed_up(entry));
  json.member("speed_up_ideal_by_macs", Comparison::ideal_by_macs(entry));
  write_spread(json, "psnr_db", entry.over_seeds(psnr_of));
  write_spread(json, "ssim", entry.over_seeds(ssim_of));
  write_spread(json, "latent_relative_l2", entry.over_seeds(latent_error_of));
  write_spread(json, "latent_max_abs", entry.over_seeds(latent_max_of));
  json.key("runs").begin_array();
  for (const SeedRun& run : entry.runs) write_run(json, run);
  json.end_array().end_object();
}

}  // namespace

std::string comparison_json(const Comparison& comparison) {
  JsonWriter json(JsonWriter::Style::indented);
  json.begin_object().member("refrain", kVersion).member("began", comparison.began);
  json.member("seconds", comparison.whole_seconds).member("device", comparison.device);
  json.member("dtype", comparison.dtype).member("threads", comparison.threads);
  json.member("processor", comparison.processor).key("seeds").begin_array();
  for (const std::uint64_t seed : comparison.seeds) json.value(seed);
  json.end_array().key("entries").begin_array();
  for (const Entry& entry : comparison.entries) write_entry(json, comparison, entry);
  json.end_array().end_object();
  return json.take() + "\n";
}

}  // namespace refrain::cli
