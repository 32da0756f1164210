#pragma once

namespace qs {

class KernelRegistry;

/// BatchNormalization, InstanceNormalization, GroupNormalization: axis 1 is the channel.
void addChannelNormalizationKernels(KernelRegistry& registry);

} // namespace qs
