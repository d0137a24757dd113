#include <refrain/diffusion/cache_policy.hpp>

namespace refrain::diffusion {

CacheSession::~CacheSession() = default;
void CacheSession::observe(const Outcome&) {}
CachePolicy::~CachePolicy() = default;

}  // namespace refrain::diffusion
