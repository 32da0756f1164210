#include "core/quant/histogram_divergence.h"

#include "core/quant/quantizer_cells.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace qs {

namespace {

constexpr std::size_t kPartsPerLevel = 16; // TensorRT: 2048 parts for 128 levels
constexpr std::size_t kMostParts = 4096;
constexpr double kShortestPiece = 1e-9; // what edges that coincide leave by rounding is less
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ValueAxis axisOf(int bits, const BoundSource& values)
{
    const std::size_t parts = std::min(kMostParts, kPartsPerLevel << static_cast<unsigned>(bits));
    return {values.minimum(), values.maximum(), std::clamp<std::size_t>(values.resolution(), 1, parts)};
}

/// A quantizer's cells without those that saturate: cell k begins at first + k step.
struct Cells
{
    double first = 0.0;
    double step = 0.0;
    std::int64_t count = 0;

    explicit Cells(const QuantParams& params)
    {
        const QuantizerCells cells(params, 0);
        first = cells.upperEdge(0);
        step = cells.step();
        count = cells.count() - 2;
    }
    [[nodiscard]] double edge(std::int64_t cell) const { return first + static_cast<double>(cell) * step; }
    /// The cell a value becomes part of.
    [[nodiscard]] std::int64_t at(double value) const
    {
        const double cell = std::floor((value - first) / step);
        return static_cast<std::int64_t>(std::clamp(cell, 0.0, static_cast<double>(count - 1)));
    }
    [[nodiscard]] bool holds(double value) const { return value >= first && value < edge(count); }
};

/// Adds up P ln Q, cell after cell from below.
class CellSum
{
public:
    /// A piece of a part with values: its length in parts, the part's share and what P has in it.
    void add(std::int64_t cell, double length, double share, double reference)
    {
        if (length < kShortestPiece) {
            return;
        }
        if (m_cells == 0 || cell != m_cell) {
            close();
            m_cell = cell;
            ++m_cells;
        }
        m_length += length;
        m_share += length * share;
        m_reference += length * reference;
    }
    /// The sum, Q being relative to all values. Call once, last.
    double total()
    {
        close();
        return m_total;
    }
    [[nodiscard]] int cells() const { return m_cells; }

private:
    void close()
    {
        if (m_length > 0.0) {
            m_total += m_reference * std::log(m_share / m_length);
        }
        m_length = 0.0;
        m_share = 0.0;
        m_reference = 0.0;
    }

    std::int64_t m_cell = 0;
    int m_cells = 0;
    double m_length = 0.0;
    double m_share = 0.0;
    double m_reference = 0.0;
    double m_total = 0.0;
};

} // namespace

HistogramDivergence::HistogramDivergence(int bits, const BoundSource& values)
    : m_axis(axisOf(bits, values))
    , m_shares(values.histogram(m_axis))
{
    for (const double count : m_shares) {
        m_count += count;
    }
    for (double& share : m_shares) {
        share = m_count > 0.0 ? share / m_count : 0.0;
    }
}

double HistogramDivergence::of(const QuantParams& params) const
{
    const Cells cells(params);
    const double width = m_axis.width();
    if (cells.step < width) {
        return kInfinity;
    }
    const auto place = [&](double part) { return m_axis.lower + part * width; };
    const auto isInside = [&](std::size_t part) {
        return m_shares[part] > 0.0 && cells.holds(place(static_cast<double>(part) + 0.5));
    };
    std::size_t first = 0;
    double below = 0.0;
    for (; first < m_shares.size() && !isInside(first); ++first) {
        below += m_shares[first];
    }
    std::size_t end = m_shares.size();
    double above = 0.0;
    for (; end > first && !isInside(end - 1); --end) {
        above += m_shares[end - 1];
    }
    if (first == end) {
        return kInfinity;
    }
    double referenceSum = 0.0; // of P ln P
    int parts = 0;
    CellSum quantized;
    for (std::size_t part = first; part < end; ++part) {
        const double share = m_shares[part];
        if (share <= 0.0) {
            continue;
        }
        const double reference = share + (part == first ? below : 0.0) + (part + 1 == end ? above : 0.0);
        referenceSum += reference * std::log(reference);
        ++parts;
        const double from = place(static_cast<double>(part));
        const std::int64_t left = cells.at(from);
        const std::int64_t right = cells.at(place(static_cast<double>(part) + 1.0));
        const double inLeft
            = left == right ? 1.0 : std::clamp((cells.edge(left + 1) - from) / width, 0.0, 1.0);
        quantized.add(left, inLeft, share, reference);
        quantized.add(right, 1.0 - inLeft, share, reference);
    }
    const double quantizedSum = quantized.total() - std::log(1.0 - below - above);
    return referenceSum - quantizedSum - (parts - quantized.cells()) / (2.0 * m_count);
}

} // namespace qs
