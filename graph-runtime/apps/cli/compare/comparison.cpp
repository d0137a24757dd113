#include "compare/comparison.hpp"

#include <refrain/errors.hpp>

#include <fmt/format.h>

#include <algorithm>

#include "compare/metrics.hpp"
#include "json/json_document.hpp"

namespace refrain::cli {
namespace {

double number(JsonView object, std::string_view key) {
  const auto member = object.find(key);
  if (!member) return 0;
  switch (member->kind()) {
    case JsonKind::integer: return static_cast<double>(member->integer());
    case JsonKind::unsigned_integer: return static_cast<double>(member->unsigned_integer());
    case JsonKind::real: return member->real();
    default: return 0;
  }
}

std::string text(JsonView object, std::string_view key) {
  const auto member = object.find(key);
  return member && member->is(JsonKind::string) ? std::string(member->string()) : std::string();
}

ActionTaken action_of(JsonView object) {
  ActionTaken action;
  action.step = static_cast<int>(number(object, "step"));
  action.stage = static_cast<int>(number(object, "stage"));
  action.sigma = number(object, "sigma");
  action.action = text(object, "action");
  action.why = text(object, "why");
  const std::string guard = text(object, "guard");
  const auto forced = object.find("forced");
  const bool was_forced = forced && forced->is(JsonKind::boolean) && forced->boolean();
  if (was_forced) action.why = guard.empty() ? "forced" : "held to it by a guard: " + guard;
  action.milliseconds = number(object, "milliseconds");
  return action;
}

bool same_shape(const SeedRun& a, const SeedRun& b) {
  if (a.pictures.size() != b.pictures.size() || a.latent.defined() != b.latent.defined()) return false;
  for (std::size_t i = 0; i < a.pictures.size(); ++i) {
    if (a.pictures[i].width != b.pictures[i].width || a.pictures[i].height != b.pictures[i].height) return false;
  }
  return !a.latent.defined() || a.latent.sizes() == b.latent.sizes();
}

RunError error_of(const SeedRun& run, const SeedRun& reference) {
  RunError error;
  const auto count = static_cast<double>(run.pictures.size());
  error.psnr = error.ssim = 0;
  for (std::size_t i = 0; i < run.pictures.size(); ++i) {
    error.psnr += psnr(run.pictures[i], reference.pictures[i]) / count;
    error.ssim += ssim(run.pictures[i], reference.pictures[i]) / count;
  }
  if (run.latent.defined()) {
    const TensorError latent = tensor_error(run.latent, reference.latent);
    error.latent_relative_l2 = latent.relative_l2;
    error.latent_max_abs = latent.max_abs;
  }
  return error;
}

}  // namespace

void add_sampling_record(SamplingCost& cost, const std::string& json) {
  const JsonDocument document = JsonDocument::parse(json, "sampling record");
  const JsonView record = document.root();
  if (!record.is(JsonKind::object)) return;
  cost.macs += number(record, "macs");
  cost.macs_uncached += number(record, "macs_uncached");
  cost.kept_bytes = std::max(cost.kept_bytes, number(record, "peak_kept_bytes"));
  // Of several sampling runs there is no one figure.
  const auto speed = record.find("speed_up");
  const bool first = cost.actions.empty();
  cost.ideal_by_costs = first && speed && speed->is(JsonKind::object) ? number(*speed, "ideal_by_costs") : 0;
  if (cost.policy.empty()) cost.policy = text(record, "policy");
  const auto actions = record.find("actions");
  if (!actions || !actions->is(JsonKind::array)) return;
  for (const JsonView action : *actions) {
    if (action.is(JsonKind::object)) cost.actions.push_back(action_of(action));
  }
}

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back()};
}

double sampling_time(const SeedRun& run) { return run.cost.milliseconds; }
double psnr_of(const SeedRun& run) { return run.error.psnr; }
double ssim_of(const SeedRun& run) { return run.error.ssim; }
double latent_error_of(const SeedRun& run) { return run.error.latent_relative_l2; }
double latent_max_of(const SeedRun& run) { return run.error.latent_max_abs; }
double macs_of(const SeedRun& run) { return run.cost.macs; }

Spread Entry::over_seeds(double (*figure)(const SeedRun&)) const {
  std::vector<double> values;
  for (const SeedRun& run : runs) values.push_back(figure(run));
  return spread_of(std::move(values));
}

double Entry::milliseconds() const { return over_seeds(sampling_time).median; }

double Comparison::speed_up(const Entry& entry) const {
  const double own = entry.milliseconds();
  return own > 0 ? entries.front().milliseconds() / own : 0;
}

double Comparison::ideal_by_macs(const Entry& entry) {
  const double done = entry.over_seeds(macs_of).median;
  const double all = entry.over_seeds([](const SeedRun& run) { return run.cost.macs_uncached; }).median;
  return done > 0 ? all / done : 0;
}

const Entry* Comparison::equal_time(std::size_t index) const {
  const auto found =
      std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) { return entry.equal_time_to == index; });
  return found == entries.end() ? nullptr : &*found;
}

std::string unsteady_times(const Comparison& comparison) {
  constexpr double kSteady = 1.25;
  const Spread time = comparison.entries.front().over_seeds(sampling_time);
  if (time.most < time.least * kSteady) return {};
  return fmt::format(
      "The reference took {:.1f} times as long on one seed as on another: this machine was busy with "
      "something else, and times from it say little. Run it again when it is quiet.",
      time.most / time.least);
}

void measure_errors(Comparison& comparison) {
  const Entry& reference = comparison.entries.front();
  for (Entry& entry : comparison.entries) {
    for (std::size_t i = 0; i < entry.runs.size(); ++i) {
      if (!same_shape(entry.runs[i], reference.runs[i])) {
        throw ValidationError("other_size",
                              fmt::format("{} gives pictures of another size or number than {}; only equal "
                                          "ones can be compared. --set changes both, "
                                          "as in --set 5.width=512",
                                          entry.label, reference.label));
      }
      entry.runs[i].error = error_of(entry.runs[i], reference.runs[i]);
    }
  }
}

}  // namespace refrain::cli
