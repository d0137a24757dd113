#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("caching", "1.0.0", ApplyCachePolicy, NoCache, UniformCache, ListedCache)
