#pragma once

#include <cstdint>
#include <span>

namespace qs {

/// What the engine applies to an activation between its producer and the readers of a site: a fake quantizer.
/// Called for every row of the ActivationView, from several threads at once.
class RowTransform
{
public:
    virtual ~RowTransform() = default;

    /// Writes in.size() floats to out; out may be in.data(). `head` is the ActivationView's head index.
    virtual void transformRow(std::int64_t head, std::span<const float> in, float* out) const = 0;
};

} // namespace qs
