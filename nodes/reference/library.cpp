#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("reference", "1.0.0", ReferenceTimesteps, ReferenceDDIM, ReferencePLMS, ReferenceDDPM,
                ClassConditioning, UnconditionalConditioning, EmptyModelLatent)
