#pragma once

namespace qs {

class KernelRegistry;

/// NonZero, GatherND and ScatterND: indices as tuples.
void addScatterKernels(KernelRegistry& registry);

} // namespace qs
