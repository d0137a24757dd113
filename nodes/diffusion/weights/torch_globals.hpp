#pragma once
// What the names in a torch checkpoint's pickle stand for. Sources: torch/_utils.py, torch/_tensor.py and
// torch/serialization.py of PyTorch 2.13.

#include "weights/pickle_values.hpp"

#include <optional>

namespace refrain::diffusion::pickle {

/// What `callable(*arguments)` gives, without anything being called: a tensor, a dict, a tuple, a text, or an opaque
/// value where the name is not known. `arguments` is a tuple. Throws ModelError where the arguments of a known name are
/// not what torch writes.
Ref apply(Values& values, Ref callable, Ref arguments);

/// The storage that a persistent id of torch stands for: ("storage", type, key, location, elements[, view]); in old
/// files also ("module", class, ...), which is the class. Opaque where its type has no place here (quantised, complex).
Ref resolve_persistent_id(Values& values, Ref id);

}  // namespace refrain::diffusion::pickle
