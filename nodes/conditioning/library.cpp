#include <refrain/plugin.hpp>

REFRAIN_LIBRARY("conditioning", "1.0.0", CLIPTextEncode, CLIPSetLastLayer, ConditioningCombine, ConditioningConcat,
                ConditioningAverage, ConditioningSetArea, ConditioningSetAreaPercentage, ConditioningSetMask,
                ConditioningSetTimestepRange, ConditioningZeroOut)
