#include <refrain/diffusion/policies.hpp>

namespace refrain::diffusion {

namespace {

class NoCacheSession final : public CacheSession {
 public:
  Needs needs() const override { return {}; }
  Decision decide(const Moment&) override { return Decision::full(); }
};

}  // namespace

std::string NoCache::describe() const { return "none"; }
std::unique_ptr<CacheSession> NoCache::begin(const Run&) const { return std::make_unique<NoCacheSession>(); }

}  // namespace refrain::diffusion
