#pragma once

namespace qs {

class KernelRegistry;

/// Operators that repeat, pad, mask or make up values: Tile, Pad, Trilu, Range, CumSum.
void addFillingKernels(KernelRegistry& registry);

} // namespace qs
