#pragma once

#include "core/quant/bin_moments.h"
#include "core/quant/quantization_error.h"

namespace qs {

/// Adds what one scale of a logarithmic quantizer does to histogram bins: clipping, rounding, uncertainty,
/// clipped, zeroed, zeroedMass.
///
/// As with UniformBinError the squared error is x^2 - h(x) with h linear in every cell, but cells meet at the
/// geometric mean of their levels, where h jumps. For a bin across cells, sum h(x) / n lies between the lower
/// and the upper hull of h over the bin, taken at the bin's mean.
class LogBinError
{
public:
    LogBinError(const QuantParams& params, std::int64_t group);
    void add(const BinMoments& bin, QuantizationError& error) const;

private:
    /// Cells are numbered by code from large values to small ones; -1 is clipped, topCode + 1 zeroed.
    [[nodiscard]] std::int64_t cellOf(double x) const;
    [[nodiscard]] double lowerEdge(std::int64_t cell) const;
    [[nodiscard]] double level(std::int64_t cell) const;
    void addInside(std::int64_t cell, const BinMoments& bin, QuantizationError& error) const;
    void addAcross(
        std::int64_t deepest, std::int64_t highest, const BinMoments& bin, QuantizationError& error) const;
    void addMany(const BinMoments& bin, QuantizationError& error) const;
    void addClamped(
        const QuantizationError& guess, double least, double most, QuantizationError& error) const;

    double m_base; ///< d
    double m_oddLevel; ///< log-sqrt2: level of code 1
    double m_perOctave; ///< k
    int m_adaLogBase = 0; ///< 0: not AdaLog
    int m_bits;
    std::int64_t m_topCode;
};

} // namespace qs
