#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("caching", "1.1.0", ApplyCachePolicy, NoCache, UniformCache, NonUniformCache, ListedCache, PhaseCache,
                ChainCache, TaylorCache, EncoderPropagation, PublishedEasyCache, EasyCache, LazyCache, DeepCache)
