#include "widgets/plot/channel_density.h"

#include <algorithm>
#include <cmath>

namespace qs {

namespace {

/// Position of a value in rows from the lower edge.
class RowScale
{
public:
    explicit RowScale(const ChannelDensityOptions& options)
        : m_log(options.spacing == RowSpacing::EvenInLog)
        , m_lower(m_log ? std::log2(options.lower) : options.lower)
    {
        const double upper = m_log ? std::log2(options.upper) : options.upper;
        m_perUnit = options.rows / std::max(upper - m_lower, 1e-300);
    }
    [[nodiscard]] double position(double value) const
    {
        if (!m_log) {
            return (value - m_lower) * m_perUnit;
        }
        return value > 0.0 ? (std::log2(value) - m_lower) * m_perUnit : -1e9;
    }

private:
    bool m_log;
    double m_lower;
    double m_perUnit;
};

/// Adds a histogram's shares to `column`, each bin spread over the rows it overlaps.
void addShares(const GroupStatistics& group, const RowScale& scale, std::vector<double>& column)
{
    const Histogram& histogram = group.histogram;
    const double perValue = group.count == 0 ? 0.0 : 1.0 / static_cast<double>(group.count);
    const double last = static_cast<double>(column.size());
    double from = scale.position(histogram.edge(0));
    for (std::size_t bin = 0; bin < histogram.size(); ++bin) {
        const double to = scale.position(histogram.edge(bin + 1));
        const double begin = std::clamp(from, 0.0, last);
        const double end = std::clamp(to, 0.0, last);
        const double width = to - from;
        from = to;
        if (histogram.counts[bin] == 0 || end <= begin) {
            continue;
        }
        const double share = static_cast<double>(histogram.counts[bin]) * perValue;
        const auto firstRow = static_cast<std::size_t>(begin);
        const auto lastRow = std::min(static_cast<std::size_t>(end), column.size() - 1);
        if (firstRow == lastRow) {
            column[firstRow] += share * (end - begin) / width;
            continue;
        }
        for (std::size_t row = firstRow; row <= lastRow; ++row) {
            const double overlap
                = std::min(end, static_cast<double>(row) + 1.0) - std::max(begin, static_cast<double>(row));
            column[row] += share * overlap / width;
        }
    }
}

} // namespace

ChannelDensity channelDensity(
    const SiteStatistics& statistics, const std::vector<int>& order, const ChannelDensityOptions& options)
{
    ChannelDensity density;
    density.rows = options.rows;
    density.columns = std::min(options.maximumColumns, static_cast<int>(order.size()));
    density.lower = options.lower;
    density.upper = options.upper;
    density.spacing = options.spacing;
    const auto rows = static_cast<std::size_t>(density.rows);
    density.shares.assign(static_cast<std::size_t>(density.columns) * rows, 0.0F);
    const RowScale scale(options);
    std::vector<double> column(rows);
    const auto channels = static_cast<std::int64_t>(order.size());
    for (std::int64_t position = 0; position < channels; ++position) {
        std::fill(column.begin(), column.end(), 0.0);
        const auto channel = static_cast<std::size_t>(order[static_cast<std::size_t>(position)]);
        addShares(statistics.groups[channel], scale, column);
        float* target
            = density.shares.data() + static_cast<std::size_t>(position * density.columns / channels) * rows;
        for (std::size_t row = 0; row < rows; ++row) {
            target[row] = std::max(target[row], static_cast<float>(column[row]));
        }
    }
    return density;
}

} // namespace qs
