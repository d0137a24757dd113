#include "weights/state_dict.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace refrain::diffusion {
namespace {

using pickle::Kind;
using pickle::Ref;
using pickle::Values;

constexpr int kDeepest = 8;

/// What trainers call the weights, and their average, in the files that they write.
constexpr std::array<std::string_view, 5> kTrained = {"model", "module", "model_state_dict", "params", "net"};
constexpr std::array<std::string_view, 5> kAveraged = {"model_ema", "ema", "params_ema", "ema_state_dict",
                                                       "state_dict_ema"};

bool has_tensors(const Values& values, Ref dict) {
  const std::vector<Ref>& items = values.items(dict);
  for (std::size_t i = 1; i < items.size(); i += 2) {
    if (values.is(items[i], Kind::tensor)) return true;
  }
  return false;
}

/// The state in ermongroup's list [model, optimizer, epoch, step, average].
std::optional<State> state_in_list(const Values& values, Ref list, std::optional<bool> use_ema) {
  std::vector<Ref> states;
  for (const Ref item : values.items(list)) {
    if (values.is(item, Kind::dict) && has_tensors(values, item)) states.push_back(item);
  }
  if (states.empty()) return std::nullopt;
  const bool averaged = use_ema.value_or(true) && states.size() > 1;
  return State{averaged ? states.back() : states.front(), averaged};
}

std::optional<Ref> dict_called(const Values& values, Ref dict, const std::array<std::string_view, 5>& names) {
  for (const std::string_view name : names) {
    const std::optional<Ref> found = values.find(dict, name);
    if (found && values.is(*found, Kind::dict)) return found;
  }
  return std::nullopt;
}

/// The dict inside `dict` that holds the weights; none where it holds them itself.
std::optional<State> state_in_dict(const Values& values, Ref dict, std::optional<bool> use_ema) {
  const auto average = dict_called(values, dict, kAveraged);
  if (average && use_ema.value_or(false)) return State{*average, true};
  if (const auto state = values.find(dict, "state_dict"); state && values.is(*state, Kind::dict)) return State{*state};
  if (has_tensors(values, dict)) return std::nullopt;
  const std::vector<Ref>& items = values.items(dict);
  if (items.size() == 2 && values.is(items[1], Kind::dict)) return State{items[1]};
  if (const auto state = dict_called(values, dict, kTrained)) return State{*state};
  if (average) return State{*average, true};
  return std::nullopt;
}

}  // namespace

State find_state(const Values& values, Ref root, std::optional<bool> use_ema) {
  State state{root};
  for (int depth = 0; depth < kDeepest; ++depth) {
    std::optional<State> inside;
    if (values.is(state.value, Kind::list) || values.is(state.value, Kind::tuple)) {
      inside = state_in_list(values, state.value, use_ema);
    } else if (values.is(state.value, Kind::dict)) {
      inside = state_in_dict(values, state.value, use_ema);
    }
    if (!inside) break;
    state = {inside->value, state.averaged || inside->averaged};
  }
  return state;
}

std::vector<std::pair<std::string, Ref>> list_tensors(Values& values, Ref state) {
  constexpr std::string_view kParallel = "module.";
  constexpr std::size_t kEntryBytes = 128;  // of the result, while it grows
  std::vector<std::pair<std::string, Ref>> found;
  struct Place {
    std::string prefix;
    Ref dict;
    int depth;
  };
  std::vector<Place> open;
  values.charge(values.size() / 8);
  std::vector<bool> seen(values.size());
  if (values.is(state, Kind::tensor)) found.emplace_back("tensor", state);
  if (values.is(state, Kind::dict)) open.push_back({"", state, 0});
  while (!open.empty()) {
    const Place place = std::move(open.back());
    open.pop_back();
    if (seen[place.dict]) continue;
    seen[place.dict] = true;
    const std::vector<Ref>& items = values.items(place.dict);
    for (std::size_t i = 0; i + 1 < items.size(); i += 2) {
      const bool tensor = values.is(items[i + 1], Kind::tensor);
      const bool deeper = values.is(items[i + 1], Kind::dict) && place.depth < kDeepest && !seen[items[i + 1]];
      if (!values.is(items[i], Kind::text) || (!tensor && !deeper)) continue;
      const std::string_view key = values[items[i]].text;
      values.charge(kEntryBytes + 2 * (place.prefix.size() + key.size()));
      std::string name = place.prefix + std::string(key);
      if (tensor) {
        found.emplace_back(std::move(name), items[i + 1]);
      } else {
        open.push_back({std::move(name) + ".", items[i + 1], place.depth + 1});
      }
    }
  }
  const auto parallel = [&](const auto& entry) { return entry.first.starts_with(kParallel); };
  if (std::all_of(found.begin(), found.end(), parallel)) {
    for (auto& entry : found) entry.first.erase(0, kParallel.size());
  }
  return found;
}

}  // namespace refrain::diffusion
