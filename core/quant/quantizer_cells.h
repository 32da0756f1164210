#pragma once

#include "core/quant/quantizer.h"

#include <cstdint>

namespace qs {

/// The value axis as one scale of a quantizer divides it: cell k holds the values that become level(k). Cells
/// are numbered upwards from 0; the first and last hold what saturates (or, for logarithmic quantizers, the
/// first holds what becomes zero). Edges are where round() changes its result; a value exactly on an edge may
/// count on either side, since its error is the same for both levels of a uniform quantizer.
class QuantizerCells
{
public:
    QuantizerCells(const QuantParams& params, std::int64_t group);

    [[nodiscard]] std::int64_t count() const { return m_count; }
    /// Cell of a finite value.
    [[nodiscard]] std::int64_t cellOf(double value) const;
    /// Upper edge of a cell; infinite for the last.
    [[nodiscard]] double upperEdge(std::int64_t cell) const;
    [[nodiscard]] double level(std::int64_t cell) const;
    /// Codes saturate in this cell.
    [[nodiscard]] bool isClipped(std::int64_t cell) const;
    /// Logarithmic: the values of this cell become zero.
    [[nodiscard]] bool isZeroed(std::int64_t cell) const { return !m_uniform && cell == 0; }
    /// Step of a uniform quantizer, else 0.
    [[nodiscard]] double step() const { return m_uniform ? m_scale : 0.0; }

private:
    bool m_uniform;
    double m_scale; ///< s or d
    double m_perOctave = 1.0; ///< logarithmic: levels per octave
    int m_adaLogBase = 0; ///< 0: not AdaLog
    int m_bits;
    double m_firstLevel = 0.0; ///< uniform: value of the lowest code
    std::int64_t m_codes; ///< number of codes
    std::int64_t m_count;
};

} // namespace qs
