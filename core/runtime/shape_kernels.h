#pragma once

namespace qs {

class KernelRegistry;

/// Reshape, Transpose, Squeeze, Expand and others that move no element, Shape and constants.
void addShapeKernels(KernelRegistry& registry);

} // namespace qs
