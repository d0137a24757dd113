#include <refrain/ports.hpp>

constexpr refrain::Param<bool> kFlag{"two words", true};
