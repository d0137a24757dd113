#pragma once
#include <refrain/plugin.hpp>

#include <refrain/diffusion/model.hpp>

namespace refrain {

/// Where the parts of a model go in this run. CLIP's vocabulary is looked for only where a file needs it.
inline diffusion::LoadOptions load_options(const Context& ctx) {
  diffusion::LoadOptions options;
  options.placement = {ctx.device(), ctx.dtype()};
  options.find_vocabulary = [&host = ctx.host()] { return host.data_file("bpe_simple_vocab_16e6.txt.gz"); };
  return options;
}

}  // namespace refrain
