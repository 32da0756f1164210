#pragma once

#include "core/gradient/backward.h"

#include <map>
#include <string>

namespace qs {

using BackwardTable = std::map<std::string, Backward, std::less<>>;

void addProductBackwards(BackwardTable& table); ///< Linear, MatMul
void addNormalizationBackwards(BackwardTable& table); ///< LayerNormalization, RMSNormalization, Softmax
void addElementwiseBackwards(BackwardTable& table);
void addViewBackwards(BackwardTable& table); ///< operators that only move values

} // namespace qs
