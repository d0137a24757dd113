#include "compare/decision_strip.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "compare/html_text.hpp"

namespace refrain::cli {
namespace {

constexpr double kHeight = 30;
constexpr double kLeast = 0.12;  // so that a step without any work can be seen

struct Kind {
  std::string_view begins_with;
  std::string_view style;
  std::string_view meaning;
};
constexpr Kind kKinds[] = {
    {"full", "full", "the whole network"},
    {"deep", "deep", "its shallow part; the deep feature is reused"},
    {"encoder", "encoder", "the decoder; the encoder is reused"},
    {"nothing", "nothing", "nothing; the prediction is reused"},
};

const Kind& kind_of(std::string_view action) {
  for (const Kind& kind : kKinds) {
    if (action.starts_with(kind.begins_with)) return kind;
  }
  return kKinds[0];
}

}  // namespace

double longest_evaluation(const std::vector<ActionTaken>& actions) {
  std::vector<double> times;
  for (const ActionTaken& action : actions) times.push_back(action.milliseconds);
  if (times.empty()) return 0;
  std::sort(times.begin(), times.end());
  return times[(times.size() - 1) * 9 / 10];
}

std::string decision_strip(const std::vector<ActionTaken>& actions, double most, std::size_t columns) {
  if (actions.empty()) return {};
  const std::size_t count = actions.size();
  std::string svg = fmt::format(R"(<svg class="strip" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" )"
                                R"(aria-label="{}">)",
                                std::max(count, columns) * 10, kHeight, html_text(count_actions(actions)));
  for (std::size_t i = 0; i < count; ++i) {
    const ActionTaken& action = actions[i];
    const double share = most > 0 ? std::clamp(action.milliseconds / most, kLeast, 1.0) : 1.0;
    svg += fmt::format(R"(<rect class="{}" x="{}" y="{:.1f}" width="8.6" height="{:.1f}">)",
                       kind_of(action.action).style, i * 10, kHeight * (1 - share), kHeight * share);
    svg +=
        fmt::format("<title>step {}{}: {}{}, {:.1f} ms</title></rect>", action.step + 1,
                    action.stage > 0 ? fmt::format(", evaluation {}", action.stage + 1) : "", html_text(action.action),
                    action.why.empty() ? "" : " (" + html_text(action.why) + ")", action.milliseconds);
  }
  return svg + "</svg>";
}

std::string count_actions(const std::vector<ActionTaken>& actions) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const ActionTaken& action : actions) {
    const auto found =
        std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == action.action; });
    if (found == counts.end()) {
      counts.emplace_back(action.action, 1);
    } else {
      ++found->second;
    }
  }
  std::string text;
  for (const auto& [action, count] : counts) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, action);
  return text;
}

std::string decision_key(const Comparison& comparison) {
  std::set<std::string_view> occurring;
  for (const Entry& entry : comparison.entries) {
    for (const SeedRun& run : entry.runs) {
      for (const ActionTaken& action : run.cost.actions) occurring.insert(kind_of(action.action).style);
    }
  }
  std::string html;
  for (const Kind& kind : kKinds) {
    if (!occurring.contains(kind.style)) continue;
    html += fmt::format(
        R"(<span class="key"><svg viewBox="0 0 10 10"><rect class="{}" width="10" height="10"/></svg>{}</span>)",
        kind.style, kind.meaning);
  }
  return html;
}

}  // namespace refrain::cli
