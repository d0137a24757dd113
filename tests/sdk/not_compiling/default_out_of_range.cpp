#include <refrain/ports.hpp>

constexpr refrain::Param<double> kGain{"gain", 11.0, {0.0, 10.0}};
