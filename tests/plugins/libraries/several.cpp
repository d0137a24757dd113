// A library of several files: this one has the list.
#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("several", "2.0.0", First, Second)
