#pragma once

namespace qs {

class KernelRegistry;

/// Cast and CastLike.
void addCastKernels(KernelRegistry& registry);

} // namespace qs
