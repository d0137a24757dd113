#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("loaders", "1.0.0", CheckpointLoaderSimple, CLIPLoader, DiffusersLoader, LoraLoader,
                LoraLoaderModelOnly, UNETLoader, VAELoader)
