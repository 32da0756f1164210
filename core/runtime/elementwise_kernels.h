#pragma once

namespace qs {

class KernelRegistry;

/// Operators of two or three operands with broadcasting: arithmetic, comparison, logic, Where, Clip.
void addElementwiseKernels(KernelRegistry& registry);

} // namespace qs
