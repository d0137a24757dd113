#include "kept_memory.hpp"

#include <ATen/TensorOperators.h>
#include <refrain/diffusion/error.hpp>

#include <algorithm>
#include <utility>

namespace refrain::diffusion {

namespace {

bool same(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b) || !a.defined() || !b.defined()) return a.defined() == b.defined();
  return a.sizes() == b.sizes() && a.options().type_equal(b.options()) && a.equal(b);
}

}  // namespace

void History::make_room() {
  if (values_.size() == capacity_) values_.pop_back();
}

void History::push(at::Tensor value) {
  make_room();
  if (value.storage().nbytes() > value.nbytes()) value = value.clone();
  values_.insert(values_.begin(), std::move(value));
}

at::Tensor History::estimate(std::span<const double> weights) const {
  if (weights.empty()) return values_.front();
  at::Tensor sum = values_.front().to(at::kFloat) * weights[0];
  for (std::size_t i = 1; i < weights.size(); ++i) sum = sum + values_[i].to(at::kFloat) * weights[i];
  return sum.to(values_.front().scalar_type());
}

void ByteCount::add(const at::Tensor& tensor) {
  if (tensor.defined() && seen_.insert(tensor.storage().data()).second) {
    bytes_ += static_cast<std::int64_t>(tensor.storage().nbytes());
  }
}

Fingerprint::Fingerprint(const Question& question, std::uint64_t revision)
    : revision_(revision), conditions_(question.conditions) {
  for (const UNetInput& input : question.inputs) {
    inputs_.push_back({input.latent.sizes().vec(), input.latent.scalar_type(), input.latent.device(), input.context,
                       in_force(input.patches, input.sigma)});
  }
}

bool Fingerprint::matches(const Fingerprint& other) const {
  if (revision_ != other.revision_ || conditions_ != other.conditions_) return false;
  return std::ranges::equal(inputs_, other.inputs_, [](const Input& a, const Input& b) {
    return a.latent == b.latent && a.dtype == b.dtype && a.device == b.device && a.patches == b.patches &&
           same(a.context, b.context);
  });
}

bool KeptMemory::fit(const Question& question, std::uint64_t revision) {
  Fingerprint now(question, revision);
  const bool known = now.matches(fingerprint_);
  fingerprint_ = std::move(now);
  inputs_ = question.inputs.size();
  if (!known) forget();
  return known;
}

void KeptMemory::forget() { stages_.clear(); }

StageMemory& KeptMemory::stage(int stage) {
  while (stages_.size() <= place(stage)) {
    StageMemory& memory = stages_.emplace_back();
    const std::vector<History> targets(needs_.targets.size(), History(needs_.history));
    const std::vector<History> features(needs_.depths.size(), History(needs_.history));
    memory.branches.assign(inputs_, {features, targets, {}});
    memory.solver_targets = targets;
    memory.feature_points.resize(needs_.depths.size());
  }
  return stages_[place(stage)];
}

const StageMemory* KeptMemory::find(int stage) const {
  return place(stage) < stages_.size() ? &stages_[place(stage)] : nullptr;
}

std::size_t KeptMemory::index_of(Estimate::Target target) const {
  if (target == Estimate::Target::feature) target = Estimate::Target::prediction;
  const auto at = std::ranges::find(needs_.targets, target);
  if (at == needs_.targets.end()) throw Error("cache_decision", to_string(target) + " was not declared");
  return static_cast<std::size_t>(at - needs_.targets.begin());
}

void KeptMemory::count(ByteCount& bytes) const {
  const auto add = [&](const std::vector<History>& histories) {
    for (const History& history : histories) {
      for (const at::Tensor& value : history.values()) bytes.add(value);
    }
  };
  for (const StageMemory& memory : stages_) {
    add(memory.solver_targets);
    for (const StageMemory::Branch& branch : memory.branches) {
      add(branch.features);
      add(branch.targets);
      for (const at::Tensor& skip : branch.encoder.skips) bytes.add(skip);
      bytes.add(branch.encoder.middle);
    }
  }
}

void push_point(std::vector<Point>& points, const Point& point, int history) {
  points.insert(points.begin(), point);
  if (points.size() > static_cast<std::size_t>(history)) points.pop_back();
}

}  // namespace refrain::diffusion
