#pragma once
// A source of weights under other names.

#include <refrain/diffusion/weights.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace refrain::diffusion {

/// One tensor of a source, as it appears under its new name.
struct Renamed {
  std::string original;
  std::vector<std::int64_t> shape;  ///< of as many elements; the original's where empty
};

/// The tensors of `source` that are listed, under the names that the list gives them (new name first), with `metadata`.
std::shared_ptr<const WeightSource> renamed_weights(std::shared_ptr<const WeightSource> source,
                                                    std::map<std::string, Renamed, std::less<>> names,
                                                    std::map<std::string, std::string, std::less<>> metadata);

}  // namespace refrain::diffusion
