#pragma once

namespace qs {

class KernelRegistry;

/// Slice, Gather, Split, Concat, GatherElements: parts of tensors, as views where possible.
void addIndexingKernels(KernelRegistry& registry);

} // namespace qs
