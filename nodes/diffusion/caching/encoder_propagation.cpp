#include <refrain/diffusion/policies.hpp>

#include "step_list.hpp"

namespace refrain::diffusion {

EncoderPropagation::EncoderPropagation(std::vector<int> key_steps)
    : key_steps_(checked_steps(std::move(key_steps), "encoder propagation")) {}

std::string EncoderPropagation::describe() const { return "encoder propagation, full at " + shown_steps(key_steps_); }

std::unique_ptr<CacheSession> EncoderPropagation::begin(const Run& run) const {
  Needs needs;
  needs.encoder = true;
  return make_step_list_session(marked_steps(key_steps_, run.steps()), Decision::encoder_reused(), std::move(needs));
}

}  // namespace refrain::diffusion
