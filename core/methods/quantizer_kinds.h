#pragma once

#include "core/methods/method.h"

#include <map>
#include <string>

namespace qs {

/// Quantizer kinds of single sites, by name.
using SiteKinds = std::map<std::string, QuantizerKind>;

/// For each of these activation sites the given kind or a uniform quantizer: the one that leaves less squared
/// error at the output of the layer that reads the site (IncrementalEvaluator::layerError(): everything else
/// in floating point) over the first 8 samples; the given one of equals. Both get bounds of least squared
/// error over all samples. A logarithmic quantizer's steps are a fixed ratio, so that bits beyond its range
/// add nothing: it wins at few bits, a uniform one at many. Our own rule. Throws Error as Executor::run()
/// does, also Cancelled.
[[nodiscard]] SiteKinds kindsOfLeastLayerError(
    const MethodInput& input, const SiteKinds& wanted, int bits, const TaskContext& context = {});

} // namespace qs
