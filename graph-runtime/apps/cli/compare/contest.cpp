#include "compare/contest.hpp"

#include <refrain/errors.hpp>
#include <refrain/payloads.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>

#include "compare/graph_edit.hpp"
#include "console.hpp"
#include "workflow_file.hpp"

namespace refrain::cli {
namespace {

constexpr std::int64_t kWarmUpSteps = 3;  // the first pays for packing and memory; the time between the others counts

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// A workflow file with what is compared of it.
struct Source {
  std::string file;
  Subject subject;
};

/// How one entry comes out of its source.
struct Recipe {
  std::size_t source = 0;
  const PolicySpec* policy = nullptr;
  std::optional<std::int64_t> steps{};
};

/// Takes the picture and the latent out of a run, and passes its steps on.
class Catcher final : public RunObserver {
 public:
  Catcher(const Subject& subject, ContestDisplay& display) : subject_(subject), display_(display) {}

  void progress(const NodeRef& node, std::int64_t value, std::int64_t max) override {
    if (!subject_.samplers.contains(std::string(node.id))) return;
    const Clock::time_point now = Clock::now();
    if (value > 1) step_seconds = std::chrono::duration<double>(now - last_step_).count();
    last_step_ = now;
    steps_of_node_ = max;
    on_step(value);
  }
  void produced(const NodeRef& node, std::span<const std::vector<Value>> outputs) override {
    const auto take = [&](const OutputPort& port, Value& to) {
      if (node.id == port.node && port.slot < outputs.size() && !outputs[port.slot].empty()) {
        to = outputs[port.slot].front();
      }
    };
    take(subject_.picture, picture);
    if (subject_.latent) take(*subject_.latent, latent);
    if (subject_.samplers.contains(std::string(node.id))) {
      steps_before += steps_of_node_;
      steps_of_node_ = 0;
    }
  }
  void error(const NodeFailure& failure) override { display_.failed(failure); }

  std::function<void(std::int64_t)> on_step = [](std::int64_t) {};
  Value picture, latent;
  std::int64_t steps_before = 0;  // of samplers that are through
  double step_seconds = 0;        // between the last two steps

 private:
  const Subject& subject_;
  ContestDisplay& display_;
  Clock::time_point last_step_{};
  std::int64_t steps_of_node_ = 0;
};

class Contest {
 public:
  Contest(Runtime& runtime, const ContestOptions& options, ContestDisplay& display, const CancelToken& cancel)
      : runtime_(runtime), options_(options), display_(display), cancel_(cancel) {}

  Comparison run() {
    const Clock::time_point began = Clock::now();
    read_sources();
    choose_seeds();
    list_entries();
    check_all();
    warm_up();
    run_phase(0, comparison_.entries.size());
    const std::size_t first_plain = comparison_.entries.size();
    if (options_.equal_time) add_plain_entries(first_plain);
    run_phase(first_plain, comparison_.entries.size());
    measure_errors(comparison_);
    comparison_.whole_seconds = seconds_since(began);
    return std::move(comparison_);
  }

 private:
  void read_sources() {
    for (const std::string& file : options_.files) {
      const Workflow workflow = open_workflow(runtime_, file, options_.settings);
      sources_.push_back({file, find_subject(workflow.graph(), runtime_.registry(), options_.image_node)});
    }
  }

  void choose_seeds() {
    comparison_.seeds = options_.seeds;
    for (std::size_t i = 0; comparison_.seeds.size() < (options_.seeds.empty() ? options_.seed_count : 0); ++i) {
      comparison_.seeds.push_back(sources_.front().subject.seed + i);
    }
  }

  void list_entries() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      add_entry({i, nullptr, {}}, std::filesystem::path(sources_[i].file).stem().string());
    }
    for (const PolicySpec& policy : options_.policies) add_entry({0, &policy, {}}, policy.text);
    if (comparison_.entries.size() < 2) {
      throw ValidationError("nothing_to_compare",
                            "one workflow alone can't be compared: name a second one, or a policy, "
                            "as in --policy UniformCache:interval=5,depth=0");
    }
  }

  void add_entry(const Recipe& recipe, const std::string& label) {
    Entry entry;
    entry.label = label;
    entry.workflow = sources_[recipe.source].file;
    entry.policy = recipe.policy != nullptr ? recipe.policy->text : "";
    entry.steps = recipe.steps.value_or(sources_[recipe.source].subject.step_count);
    entry.mark = comparison_.entries.empty() ? "R" : std::to_string(comparison_.entries.size());
    recipes_.push_back(recipe);
    comparison_.entries.push_back(std::move(entry));
  }

  CheckedWorkflow make(const Recipe& recipe, std::uint64_t seed) const {
    const Source& source = sources_[recipe.source];
    Workflow workflow = open_workflow(runtime_, source.file, options_.settings);
    WorkflowGraph& graph = workflow.edit();
    keep_only(graph, source.subject);
    set_seed(graph, runtime_.registry(), source.subject, seed);
    if (recipe.steps) set_steps(graph, runtime_.registry(), source.subject, *recipe.steps);
    if (recipe.policy != nullptr) insert_policy(graph, runtime_.registry(), source.subject, *recipe.policy);
    return runtime_.check(std::move(workflow));
  }

  /// Everything that is wrong is told before anything runs.
  void check_all() const {
    bool good = true;
    for (std::size_t i = 0; i < recipes_.size(); ++i) {
      if (!good && recipes_[i].policy != nullptr) break;  // it would say the same again
      const CheckedWorkflow checked = make(recipes_[i], comparison_.seeds.front());
      if (!checked.runnable()) print_diagnostics(comparison_.entries[i].label, checked.diagnostics());
      good = good && checked.runnable();
    }
    if (!good) throw ValidationError("not_runnable", "nothing was compared: a workflow is not valid, see above");
  }

  SeedRun run_one(const Recipe& recipe, std::uint64_t seed, Catcher& catcher) {
    const Subject& subject = sources_[recipe.source].subject;
    RunOptions run_options{&catcher, &cancel_};
    run_options.recompute = [&subject](const NodeRef& node) { return subject.fresh.contains(std::string(node.id)); };
    const RunReport report = runtime_.run(make(recipe, seed), run_options);
    if (report.outcome == RunOutcome::cancelled) throw Cancelled();
    if (report.outcome == RunOutcome::failed)
      throw Error("run_failed", "nothing was compared: a run failed, see above");
    SeedRun run;
    run.seed = seed;
    run.whole_milliseconds = report.milliseconds;
    for (const NodeRecord& record : report.records) {
      if (record.kind == "sampling") add_sampling_record(run.cost, record.json);
    }
    for (std::size_t i = 0; i < report.nodes.size(); ++i) {
      if (subject.samplers.contains(std::string(report.node(i).id))) {
        run.cost.milliseconds += report.nodes[i].milliseconds;
      }
    }
    const Image& image = catcher.picture.as<Image>();
    for (std::int64_t n = 0; n < image.pixels.size(0); ++n) run.pictures.push_back(to_picture(image.pixels, n));
    if (catcher.latent) run.latent = catcher.latent.as<Latent>().samples;
    return run;
  }

  /// A few steps of each workflow. The time of the last step tells how long all will take.
  void warm_up() {
    double seconds = 0;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      const std::int64_t steps = sources_[i].subject.step_count;
      Recipe recipe{i, nullptr, {}};
      if (steps > kWarmUpSteps) recipe.steps = kWarmUpSteps;
      Catcher catcher(sources_[i].subject, display_);
      const SeedRun run = run_one(recipe, comparison_.seeds.front(), catcher);
      const double decoding = (run.whole_milliseconds - run.cost.milliseconds) / 1000;
      const double sampling =
          recipe.steps ? static_cast<double>(steps) * catcher.step_seconds : run.cost.milliseconds / 1000;
      for (const Recipe& entry : recipes_) {
        // A cached run takes no longer than a full one, and neither does the plain sampler in the same time.
        const bool twice = options_.equal_time && &entry != recipes_.data();
        if (entry.source == i) seconds += (sampling + decoding) * (twice ? 2 : 1);
      }
    }
    const std::size_t entries = recipes_.size() + (options_.equal_time ? recipes_.size() - 1 : 0);
    expected_steps_ = 0;
    for (const Entry& entry : comparison_.entries)
      expected_steps_ += entry.steps * (&entry == comparison_.entries.data() || !options_.equal_time ? 1 : 2);
    expected_steps_ *= static_cast<std::int64_t>(comparison_.seeds.size());
    display_.estimate(seconds * static_cast<double>(comparison_.seeds.size()), entries * comparison_.seeds.size());
  }

  /// Entries [first, last) on every seed. The order turns by one with each seed.
  void run_phase(std::size_t first, std::size_t last) {
    const std::size_t count = last - first;
    for (std::size_t s = 0; s < comparison_.seeds.size(); ++s) {
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t entry = first + (i + s + 1) % count;
        Catcher catcher(sources_[recipes_[entry].source].subject, display_);
        catcher.on_step = [&](std::int64_t step) {
          display_.progress(steps_done_ + catcher.steps_before + step, std::max(expected_steps_, steps_done_ + step));
        };
        comparison_.entries[entry].runs.push_back(run_one(recipes_[entry], comparison_.seeds[s], catcher));
        steps_done_ += std::max(catcher.steps_before, comparison_.entries[entry].steps);
      }
    }
  }

  /// Beside each entry the first workflow with as many steps as take its time; entries that are no faster have none.
  void add_plain_entries(std::size_t entries) {
    const std::int64_t steps = sources_.front().subject.step_count;
    const double per_step = steps > 0 ? comparison_.entries.front().milliseconds() / static_cast<double>(steps) : 0;
    for (std::size_t i = 1; i < entries && per_step > 0; ++i) {
      const auto fewer = static_cast<std::int64_t>(std::llround(comparison_.entries[i].milliseconds() / per_step));
      if (fewer >= steps) continue;
      const std::int64_t taken = std::max<std::int64_t>(fewer, 1);
      add_entry({0, nullptr, taken}, fmt::format("{}, {} steps", comparison_.entries.front().label, taken));
      comparison_.entries.back().mark = comparison_.entries[i].mark + "\u2032";
      comparison_.entries.back().equal_time_to = i;
    }
    expected_steps_ = steps_done_;
    for (std::size_t i = entries; i < comparison_.entries.size(); ++i) {
      expected_steps_ += comparison_.entries[i].steps * static_cast<std::int64_t>(comparison_.seeds.size());
    }
  }

  Runtime& runtime_;
  const ContestOptions& options_;
  ContestDisplay& display_;
  const CancelToken& cancel_;
  std::vector<Source> sources_;
  std::vector<Recipe> recipes_;  // as comparison_.entries
  Comparison comparison_;
  std::int64_t steps_done_ = 0;
  std::int64_t expected_steps_ = 0;
};

}  // namespace

Comparison run_contest(Runtime& runtime, const ContestOptions& options, ContestDisplay& display,
                       const CancelToken& cancel) {
  return Contest(runtime, options, display, cancel).run();
}

}  // namespace refrain::cli
