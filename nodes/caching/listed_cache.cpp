#include <refrain/plugin.hpp>

#include <refrain/diffusion/policies.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <vector>

namespace {

using namespace refrain;

/// Steps separated by commas or blanks. Throws NodeError naming the part that is no step.
std::vector<int> parse_steps(std::string_view text) {
  constexpr std::string_view kSeparators = ", \t\r\n";
  std::vector<int> steps;
  for (std::size_t at = text.find_first_not_of(kSeparators); at != text.npos;
       at = text.find_first_not_of(kSeparators, at)) {
    const std::size_t end = std::min(text.find_first_of(kSeparators, at), text.size());
    const std::string_view word = text.substr(at, end - at);
    int step = 0;
    const auto [stop, problem] = std::from_chars(word.data(), word.data() + word.size(), step);
    if (problem != std::errc{} || stop != word.data() + word.size() || step < 0) {
      throw NodeError("steps.syntax", fmt::format("\"{}\" is no step; list step numbers from 0, as in \"0, 5, 9\"",
                                                  word.substr(0, 40)));
    }
    steps.push_back(step);
    at = end;
  }
  return steps;
}

/// Full at the listed steps: DeepCache's non-uniform policy, written out.
class ListedCache final : public Node {
 public:
  static constexpr Param<std::string> steps{"steps", "0, 5, 9",
                                            "the steps that are computed whole, from 0; the first always is"};
  static constexpr Param<int> depth{
      "depth", 0, {0, 99}, "skips that are recomputed at the other steps, less one; below the model's number of skips"};
  static constexpr Out<diffusion::CachePolicy> policy{"CACHE_POLICY", "for ApplyCachePolicy"};

  static Schema schema() {
    return Schema{"ListedCache",
                  "refrain/caching",
                  "Computes the whole U-Net at the listed steps only.",
                  {steps, depth},
                  {policy}}
        .titled("Listed Cache");
  }

  void validate(Literals& in) const override {
    if (const std::string* text = in[steps]) {
      try {
        parse_steps(*text);
      } catch (const NodeError& error) {
        in.reject(steps, error.what());
      }
    }
  }

  void run(Context& ctx) override {
    ctx.set(policy, std::make_shared<const diffusion::ListedCache>(parse_steps(ctx[steps]), ctx[depth]));
  }
};

}  // namespace

REFRAIN_NODE(ListedCache)
