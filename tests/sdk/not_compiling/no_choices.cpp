#include <refrain/ports.hpp>

constexpr refrain::Choice kMode{"mode", std::initializer_list<const char*>{}};
