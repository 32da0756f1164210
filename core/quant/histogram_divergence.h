#pragma once

#include "core/quant/bound_search.h"
#include "core/quant/value_axis.h"

#include <vector>

namespace qs {

/// Entropy calibration's measure of clipping bounds: how much of a histogram a quantizer with one scale
/// leaves. The idea is that of TensorRT's entropy calibrator (S. Migacz, 8-bit inference with TensorRT, GTC
/// 2017) and of ONNX Runtime's; cells at any place, one formula for all widths, the outermost part with
/// values instead of smoothing, and the correction for counting noise are ours.
///
/// Histogram: N equal parts of [min, max], N the least of 4096, 16 2^b and BoundSource::resolution(). Parts
/// whose middle does not saturate are inside; P has their shares of all values, those of the parts outside
/// added to the outermost inside that has values. Q is what the quantizer makes of the values inside: every
/// cell's share, spread evenly over the parts (and pieces of parts) in the cell that have values, relative to
/// all inside. So Q is nowhere 0 where P is not.
///
/// of() = sum P ln(P / Q) - (parts - cells) / (2 n), over the parts with values inside, the cells that they
/// touch, and n values: the last term is the divergence that counting n values from one even density in every
/// cell has on average (the bias of G. Miller 1955).
class HistogramDivergence
{
public:
    /// For uniform quantizers of so many bits. values.minimum() < values.maximum().
    HistogramDivergence(int bits, const BoundSource& values);

    /// In nats, in O(N). Infinite where cells are narrower than parts, so that the histogram cannot tell what
    /// rounding does, or where no values are inside. The quantizer is uniform with one scale.
    [[nodiscard]] double of(const QuantParams& params) const;

private:
    ValueAxis m_axis;
    std::vector<double> m_shares; ///< of all values, per part
    double m_count = 0.0; ///< of values on the axis
};

} // namespace qs
