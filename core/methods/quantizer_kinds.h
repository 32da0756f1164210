#pragma once

#include "core/methods/method.h"

#include <map>
#include <set>
#include <string>

namespace qs {

/// Quantizer kinds of single sites, by name.
using SiteKinds = std::map<std::string, QuantizerKind>;

/// For each of these activation sites log-sqrt2 (at 3 bits and below AdaLog, which needs a table at
/// inference) or uniform: the one that leaves less squared error at the output of the layer that reads the
/// site (IncrementalEvaluator::layerError(): everything else in floating point) over the first 8 samples; the
/// logarithmic one of equals. Both get bounds of least squared error over all samples. The steps of log-sqrt2
/// are a fixed ratio, so that bits beyond its range add nothing: it wins at few bits, a uniform one at many.
/// Our own rule. Throws Error as Executor::run() does, also Cancelled.
[[nodiscard]] SiteKinds kindsOfLeastLayerError(
    const MethodInput& input, const std::set<std::string>& sites, int bits, const TaskContext& context = {});

} // namespace qs
