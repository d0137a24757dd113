#include "brownian_tree.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace refrain::diffusion {

namespace {

constexpr std::size_t kMostKept = 64;  // values in memory: more than a question's path is long

/// To six decimals, ties to even of the exact value: the grid on which the reference's tree lives.
double rounded(double time) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), time, std::chars_format::fixed, 6).ptr;
  double result = 0;
  std::from_chars(text.data(), end, result);
  return result;
}

}  // namespace

struct BrownianTree::Interval {
  Interval(double from, double to, Interval* above, bool on_left)
      : start(rounded(from)), end(rounded(to)), parent(above), is_left(on_left) {
    if (parent != nullptr) {
      key = 2 * parent->key + (is_left ? 0 : 1);
      depth = parent->depth + 1;
    }
  }

  double start, end;
  Interval* parent;
  bool is_left;
  std::uint64_t key = 0, depth = 0;  // the place in the tree
  double middle = 0;
  Interval *left = nullptr, *right = nullptr;
  std::uint32_t seed = 0;  // of the noise at its middle
  at::Tensor value;        // its increment, where it is in memory
};

BrownianTree::BrownianTree(std::vector<std::int64_t> shape, double start, double end, std::uint64_t seed)
    : shape_(std::move(shape)), seed_(seed) {
  intervals_.push_back(std::make_unique<Interval>(start, end, nullptr, false));
  intervals_.front()->value = drawn(spawned_seeds(seed_, {})[0]) * std::sqrt(end - start);
}

BrownianTree::~BrownianTree() = default;

at::Tensor BrownianTree::drawn(std::uint32_t seed) const {
  return at::randn(shape_, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kFloat));
}

void BrownianTree::split(Interval& interval) {
  const double half = 0.5 * (interval.end + interval.start);
  interval.middle = rounded(half);
  interval.seed = spawned_seeds(seed_, std::array{interval.key, interval.depth})[0];
  interval.left = intervals_.emplace_back(std::make_unique<Interval>(interval.start, half, &interval, true)).get();
  interval.right = intervals_.emplace_back(std::make_unique<Interval>(half, interval.end, &interval, false)).get();
}

at::Tensor BrownianTree::increment(double from, double to) {
  Interval& top = *intervals_.front();
  from = std::clamp(from, top.start, top.end);
  to = std::clamp(to, top.start, top.end);
  if (from == to) return at::zeros(shape_, at::kFloat);

  struct Question {
    Interval* interval;
    double from, to;
  };
  at::Tensor sum;
  std::vector<Question> open{{&top, rounded(from), rounded(to)}};  // the earliest last
  while (!open.empty()) {
    const auto [interval, a, b] = open.back();
    open.pop_back();
    if (a == interval->start && b == interval->end) {
      const at::Tensor& part = value(*interval);
      sum = sum.defined() ? sum + part : part;
      continue;
    }
    if (interval->left == nullptr) split(*interval);
    if (b <= interval->middle) {
      open.push_back({interval->left, a, b});
    } else if (a >= interval->middle) {
      open.push_back({interval->right, a, b});
    } else {
      open.push_back({interval->right, interval->middle, b});
      open.push_back({interval->left, a, interval->middle});
    }
  }
  return sum.defined() ? sum : at::zeros(shape_, at::kFloat);
}

const at::Tensor& BrownianTree::value(Interval& interval) {
  std::vector<Interval*> missing;  // from the interval up to the first whose value is there
  Interval* known = &interval;
  for (; !known->value.defined(); known = known->parent) missing.push_back(known);
  at::Tensor whole = known->value;
  for (auto next = missing.rbegin(); next != missing.rend(); ++next) {
    const Interval& parent = *(*next)->parent;
    const double left = parent.middle - parent.start, right = parent.end - parent.middle;
    const double share = 1 / (parent.end - parent.start);
    const at::Tensor at_left = left * whole * share + std::sqrt(left * right * share) * drawn(parent.seed);
    whole = (*next)->is_left ? at_left : whole - at_left;
    keep(**next, whole);
  }
  return interval.value;
}

void BrownianTree::keep(Interval& interval, at::Tensor value) {
  interval.value = std::move(value);
  kept_.push_back(&interval);
  if (kept_.size() > kMostKept) {
    kept_.front()->value.reset();
    kept_.pop_front();
  }
}

BrownianNoise::BrownianNoise(const at::Tensor& x, std::span<const float> sigmas, std::uint64_t seed)
    : device_(x.device()) {
  float least = 0, most = 0;
  for (const float sigma : sigmas) {
    if (sigma > 0) least = least > 0 ? std::min(least, sigma) : sigma;
    most = std::max(most, sigma);
  }
  if (least > 0) tree_ = std::make_unique<BrownianTree>(x.sizes().vec(), least, most, seed);
}

at::Tensor BrownianNoise::between(float sigma, float next) {
  const float length = std::sqrt(std::abs(next - sigma));
  const at::Tensor increment = tree_->increment(std::min(sigma, next), std::max(sigma, next));
  return (sigma < next ? increment : increment * -1) / length;
}

}  // namespace refrain::diffusion
