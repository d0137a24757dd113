#include <refrain/diffusion/cache_policy.hpp>
#include <refrain/diffusion/error.hpp>

#include <limits>

namespace refrain::diffusion {

CacheSession::~CacheSession() = default;
void CacheSession::observe(const Outcome&) {}
CachePolicy::~CachePolicy() = default;

std::string to_string(const Evaluate& evaluate) {
  switch (evaluate.kind) {
    case Evaluate::Kind::full: return "full";
    case Evaluate::Kind::deep: return "deep(" + std::to_string(evaluate.depth) + ")";
    case Evaluate::Kind::encoder_reused: return "encoder_reused";
    case Evaluate::Kind::nothing: return "nothing";
  }
  return "unknown";
}

std::string to_string(Estimate::Target target) {
  switch (target) {
    case Estimate::Target::feature: return "feature";
    case Estimate::Target::prediction: return "prediction";
    case Estimate::Target::residual: return "residual";
    case Estimate::Target::denoised: return "denoised";
    case Estimate::Target::change: return "change";
    case Estimate::Target::mixed_residual: return "mixed_residual";
  }
  return "unknown";
}

double Run::sigma_at(double percent) const {
  if (percent_to_sigma) return percent_to_sigma(percent);
  if (percent <= 0) return std::numeric_limits<double>::infinity();
  if (percent >= 1) return 0;
  throw Error("cache_schedule",
              "a cache policy asks for a share of the model's training schedule, and this model has none; use start 0 "
              "and end 1");
}

}  // namespace refrain::diffusion
