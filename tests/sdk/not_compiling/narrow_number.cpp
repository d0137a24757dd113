#include <refrain/ports.hpp>

constexpr refrain::Out<float> kNumber{"number"};
