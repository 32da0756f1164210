#pragma once

namespace qs {

class KernelRegistry;

/// Resize.
void addResizeKernels(KernelRegistry& registry);

} // namespace qs
