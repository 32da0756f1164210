#include "core/quant/quantizer_cells.h"

#include "core/quant/ada_log.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

// Uniform: cell 0 is what saturates below, cells 1 .. codes are the codes, cell codes + 1 saturates above.
// Logarithmic: cell 0 becomes zero, cells 1 .. codes are codes 2^b - 1 down to 0, cell codes + 1 saturates
// above d.

QuantizerCells::QuantizerCells(const QuantParams& params, std::int64_t group)
    : m_uniform(params.kind == QuantizerKind::Uniform)
    , m_scale(static_cast<double>(params.scales[params.index(group)]))
    , m_perOctave(codesPerOctave(params, params.index(group)))
    , m_adaLogBase(params.kind == QuantizerKind::AdaLog ? adaLogBase(params.bounds[params.index(group)]) : 0)
    , m_bits(params.bits)
    , m_codes(static_cast<std::int64_t>(params.maximumCode()) - params.minimumCode() + 1)
    , m_count(m_codes + 2)
{
    if (m_uniform) {
        m_firstLevel = (static_cast<double>(params.minimumCode())
                           - static_cast<double>(params.zeroPoints[params.index(group)]))
            * m_scale;
    }
}

std::int64_t QuantizerCells::cellOf(double value) const
{
    double cell = 0.0;
    if (m_uniform) {
        cell = std::floor((value - m_firstLevel) / m_scale + 0.5) + 1.0;
    } else if (value > 0.0) {
        cell = static_cast<double>(m_codes) - std::ceil(-m_perOctave * std::log2(value / m_scale) - 0.5);
    }
    return static_cast<std::int64_t>(std::clamp(cell, 0.0, static_cast<double>(m_count - 1)));
}

double QuantizerCells::upperEdge(std::int64_t cell) const
{
    if (cell >= m_count - 1) {
        return std::numeric_limits<double>::infinity();
    }
    if (m_uniform) {
        return m_firstLevel + (static_cast<double>(cell) - 0.5) * m_scale;
    }
    return m_scale * std::exp2((static_cast<double>(cell - m_codes) + 0.5) / m_perOctave);
}

double QuantizerCells::level(std::int64_t cell) const
{
    if (!m_uniform && cell == 0) {
        return 0.0;
    }
    const auto code = static_cast<double>(std::clamp<std::int64_t>(cell - 1, 0, m_codes - 1));
    if (m_uniform) {
        return m_firstLevel + code * m_scale;
    }
    if (m_adaLogBase != 0) {
        return static_cast<double>(
            adaLogLevel(m_scale, m_adaLogBase, m_bits, m_codes - 1 - static_cast<std::int64_t>(code)));
    }
    return m_scale * std::exp2((code - static_cast<double>(m_codes - 1)) / m_perOctave);
}

bool QuantizerCells::isClipped(std::int64_t cell) const
{
    return cell == m_count - 1 || (m_uniform && cell == 0);
}

} // namespace qs
