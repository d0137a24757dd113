#include <refrain/context.hpp>
#include <refrain/errors.hpp>
#include <refrain/runtime.hpp>

#include <ATen/Parallel.h>
#include <c10/core/ScalarType.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <memory>

#include "commands.hpp"
#include "compare/comparison_json.hpp"
#include "compare/contact_sheet.hpp"
#include "compare/contest.hpp"
#include "compare/html_page.hpp"
#include "console.hpp"
#include "device_check.hpp"
#include "exit_code.hpp"
#include "interrupt.hpp"
#include "progress_display.hpp"
#include "runtime_flags.hpp"
#include "scratch_folder.hpp"
#include "whole_file.hpp"

namespace refrain::cli {
namespace {

constexpr const char* kExamples = R"(
Examples:
  refrain compare workflow.json --policy UniformCache:interval=5,depth=0
  refrain compare workflow.json --policy UniformCache:interval=3 --policy ListedCache:steps=0,5,12 --seeds 8
  refrain compare plain.json cached.json --seeds 7,21 -o comparison

The first workflow, as it is, is the reference. Each policy is put on its model in turn. A policy is a node type with
an output CACHE_POLICY ("refrain nodes" lists them), or one that takes a MODEL and gives one; inputs that are not named
have their defaults, and a policy within a policy stands in parentheses: Chain:first=(UniformCache:interval=3).

Written are comparison.html (everything on one page), contact_sheet.png and comparison.json; their names go to stdout.
Exit codes: 0 done, 1 failed, 2 invalid input, nothing was executed, 130 interrupted.)";

struct CompareFlags {
  RuntimeFlags runtime;
  ContestOptions contest;
  std::vector<std::string> policies;
  std::string seeds = "4";
  std::filesystem::path folder;
  bool no_equal_time = false;
  bool quiet = false;
};

/// Shows a contest on stderr.
class ConsoleContest final : public ContestDisplay {
 public:
  explicit ConsoleContest(bool quiet) : quiet_(quiet), display_(stderr, ProgressDisplay::style_of(stderr)) {}

  void estimate(double seconds, std::size_t runs) override {
    if (quiet_) return;
    display_.line(fmt::format("{} runs, at most {}", runs, duration(seconds)));
    display_.begin("comparing");
  }
  void progress(std::int64_t done, std::int64_t of) override {
    if (!quiet_) display_.step("comparing", done, of);
  }
  void failed(const NodeFailure& failure) override {
    display_.hide();
    print_error(failure.describe());
  }

 private:
  static std::string duration(double seconds) {
    if (seconds < 90) return fmt::format("{:.0f} s", std::max(seconds, 1.0));
    return seconds < 5400 ? fmt::format("{:.0f} min", seconds / 60) : fmt::format("{:.1f} h", seconds / 3600);
  }

  bool quiet_;
  ProgressDisplay display_;
};

std::uint64_t read_seed(std::string_view text, const std::string& all) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw ValidationError("bad_seeds",
                          fmt::format("--seeds {}: give a number of seeds, as in --seeds 4, or a list of them, "
                                      "as in --seeds 7,21 (a single one: --seeds 7,)",
                                      all));
  }
  return seed;
}

/// A number alone is how many; anything with a comma is a list.
void read_seeds(const std::string& text, ContestOptions& contest) {
  constexpr std::uint64_t kMostSeeds = 1000;
  if (text.find(',') == std::string::npos) {
    const std::uint64_t count = read_seed(text, text);
    if (count == 0 || count > kMostSeeds) {
      throw ValidationError("bad_seeds",
                            fmt::format("--seeds {}: from 1 to {} seeds; a single one of your own is written "
                                        "with a comma, --seeds {},",
                                        text, kMostSeeds, text));
    }
    contest.seed_count = static_cast<std::size_t>(count);
    return;
  }
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    contest.seeds.push_back(read_seed(std::string_view(text).substr(begin, end - begin), text));
    begin = end + 1;
  }
}

const char* dtype_name(c10::ScalarType type) {
  return type == c10::kFloat ? "fp32" : type == c10::kBFloat16 ? "bf16" : "fp16";
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) return line.substr(std::min(line.find(':') + 2, line.size()));
  }
  return "unknown processor";
}

/// comparison_00001, the first number that is free.
std::filesystem::path free_folder(const std::filesystem::path& output) {
  for (int number = 1;; ++number) {
    std::filesystem::path folder = output / fmt::format("comparison_{:05}", number);
    if (!std::filesystem::exists(folder)) return folder;
  }
}

void write_all(const Comparison& comparison, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  const auto write = [&](const char* name, const std::string& bytes) {
    write_whole_file(folder / name, bytes);
    fmt::print("{}\n", (folder / name).string());
  };
  write("comparison.html", html_page(comparison));
  write("contact_sheet.png", png_bytes(contact_sheet(comparison)));
  write("comparison.json", comparison_json(comparison));
  std::fflush(stdout);
}

void print_summary(const Comparison& comparison) {
  std::size_t width = 0;
  for (const Entry& entry : comparison.entries) width = std::max(width, entry.label.size());
  for (const std::size_t index : shown_order(comparison)) {
    const Entry& entry = comparison.entries[index];
    std::string line = fmt::format("  {:{}}  {:8.3f} s", entry.label, width, entry.milliseconds() / 1000);
    if (index != 0) {
      line += fmt::format("  {:5.2f}x  SSIM {:.4f}  latent error {:.4f}", comparison.speed_up(entry),
                          entry.over_seeds(ssim_of).median, entry.over_seeds(latent_error_of).median);
    }
    print_note(line + (entry.equal_time_to ? "  (equal time)" : ""));
  }
  if (const std::string unsteady = unsteady_times(comparison); !unsteady.empty()) print_note(unsteady);
}

int compare(CompareFlags flags) {
  CancelToken cancel;
  const InterruptWatch watch([&cancel] {
    cancel.cancel();
    print_note("\nstopping after this step; Ctrl-C again kills");
  });
  require_device(flags.runtime.device);
  for (const std::string& policy : flags.policies) flags.contest.policies.push_back(parse_policy(policy));
  read_seeds(flags.seeds, flags.contest);
  flags.contest.equal_time = !flags.no_equal_time;
  const std::filesystem::path output = flags.runtime.output_directory;
  const ScratchFolder scratch;  // what the workflows' own nodes save is of no use here
  flags.runtime.output_directory = scratch.path() / "output";
  flags.runtime.temp_directory = scratch.path() / "temp";
  Runtime runtime(flags.runtime.options());
  warn_of_refused(runtime.plugins());
  Comparison comparison;
  const std::time_t now = std::time(nullptr);
  {
    ConsoleContest display(flags.quiet);
    comparison = run_contest(runtime, flags.contest, display, cancel);
  }
  comparison.began = fmt::format("{:%Y-%m-%d %H:%M}", fmt::gmtime(now));
  comparison.device = runtime.host().device().str();
  comparison.dtype = dtype_name(runtime.host().dtype());
  comparison.threads = at::get_num_threads();
  comparison.processor = processor_name();
  write_all(comparison, flags.folder.empty() ? free_folder(output) : flags.folder);
  if (!flags.quiet) print_summary(comparison);
  return kDone;
}

}  // namespace

Action add_compare_command(CLI::App& app) {
  auto flags = std::make_shared<CompareFlags>();
  CLI::App& command = *app.add_subcommand("compare", "Compare workflows or cache policies on the same seeds");
  command.footer(kExamples);
  add_workflow_flags(command, flags->contest.files, flags->contest.settings,
                     "Set an input of every workflow first: <node id or title>.<input>=value; may be repeated");
  command.add_option("--policy", flags->policies, "Put this policy on the first workflow's model; may be repeated")
      ->type_name("TYPE:INPUT=VALUE,...")
      ->allow_extra_args(false);
  command.add_option("--seeds", flags->seeds, "How many seeds, from the workflow's own on; or a list of them: 7,21,")
      ->type_name("N")
      ->capture_default_str();
  command
      .add_option("-o,--output", flags->folder,
                  "The folder to write into; default: comparison_00001 in the output directory, counted up")
      ->type_name("FOLDER");
  command
      .add_option("--image", flags->contest.image_node,
                  "The SaveImage or PreviewImage node whose picture counts, by id or title; default: the first")
      ->type_name("ID");
  command.add_flag("--no-equal-time", flags->no_equal_time, "Leave out the plain sampler with fewer steps");
  command.add_flag("-q,--quiet", flags->quiet, "No progress and no summary on stderr");
  flags->runtime.add_folder_flags(command);
  flags->runtime.add_run_flags(command);
  return [flags] { return compare(*flags); };
}

}  // namespace refrain::cli
