#include "core/exporting/svg_chart.h"

#include "core/exporting/markup.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace qs {

namespace {

constexpr double kWidth = 720.0;
constexpr double kPlotHeight = 190.0;
constexpr double kLeft = 64.0;
constexpr double kRight = 12.0;
constexpr double kTop = 26.0;
constexpr double kFont = 10.0;
constexpr double kCharacter = 5.6; ///< mean width at that size
constexpr std::array kColours {
    "#2f6fb0", "#d98a1f", "#3a8f4d", "#8a5aa8"}; ///< told apart without red and green

std::string number(double value)
{
    return reportNumber(value, 1);
}

/// An SVG document that grows.
class Drawing
{
public:
    explicit Drawing(double height)
        : m_height(height)
    {
    }

    void line(double x1, double y1, double x2, double y2, const char* colour, double width = 1.0)
    {
        m_body += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) + "\" y2=\""
            + number(y2) + "\" stroke=\"" + colour + "\" stroke-width=\"" + number(width) + "\"/>\n";
    }
    void rectangle(double x, double y, double width, double height, const char* colour)
    {
        m_body += "<rect x=\"" + number(x) + "\" y=\"" + number(y) + "\" width=\"" + number(width)
            + "\" height=\"" + number(height) + "\" fill=\"" + colour + "\"/>\n";
    }
    void polyline(const std::string& points, const char* colour)
    {
        m_body += "<polyline points=\"" + points + "\" fill=\"none\" stroke=\"" + colour
            + "\" stroke-width=\"1.5\"/>\n";
    }
    /// anchor: "start", "middle", "end".
    void text(double x, double y, const std::string& text, const char* anchor, double rotation = 0.0)
    {
        m_body += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" text-anchor=\"" + anchor + "\"";
        if (rotation != 0.0) {
            m_body += " transform=\"rotate(" + number(rotation) + " " + number(x) + " " + number(y) + ")\"";
        }
        m_body += ">" + escapedMarkup(text) + "</text>\n";
    }
    [[nodiscard]] std::string document() const
    {
        return "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(kWidth) + "\" height=\""
            + number(m_height) + "\" viewBox=\"0 0 " + number(kWidth) + " " + number(m_height)
            + "\" font-family=\"sans-serif\" font-size=\"" + number(kFont) + "\" fill=\"#333333\">\n"
            + "<rect width=\"" + number(kWidth) + "\" height=\"" + number(m_height)
            + "\" fill=\"#ffffff\"/>\n" + m_body + "</svg>\n";
    }

private:
    double m_height;
    std::string m_body;
};

/// Round steps of 1, 2 or 5 so that about four fit.
double stepFor(double range)
{
    const double rough = range / 4.0;
    const double power = std::pow(10.0, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0}) {
        if (rough <= factor * power * 1.0001) {
            return factor * power;
        }
    }
    return 10.0 * power;
}

/// Multiples of the step within the range, zero without the noise of sums.
std::vector<double> ticks(double low, double high, double step)
{
    constexpr int kMost = 24;
    std::vector<double> found;
    const double first = std::ceil(low / step);
    for (int i = 0; i < kMost; ++i) { // counted: a step can vanish beside its place
        const double tick = (first + i) * step;
        if (!(tick <= high + step * 1e-9)) {
            break;
        }
        found.push_back(std::abs(tick) < step * 1e-9 ? 0.0 : tick);
    }
    return found;
}

/// The value axis with its grid; maps values to y.
class ValueAxis
{
public:
    ValueAxis(Drawing& drawing, const std::string& label, double low, double high)
        : m_low(low)
        , m_high(high > low ? high : low + 1.0)
    {
        for (const double tick : ticks(m_low, m_high, stepFor(m_high - m_low))) {
            const double y = at(tick);
            drawing.line(kLeft, y, kWidth - kRight, y, "#e3e3e3");
            drawing.text(kLeft - 6.0, y + 3.5, shortNumber(tick), "end");
        }
        drawing.text(4.0, kTop - 12.0, label, "start");
    }
    [[nodiscard]] double at(double value) const
    {
        return kTop + kPlotHeight * (m_high - std::clamp(value, m_low, m_high)) / (m_high - m_low);
    }

private:
    double m_low;
    double m_high;
};

/// Names of the colours, right of the axis label.
void legend(Drawing& drawing, const std::vector<std::string>& names, const std::string& axis)
{
    double x = 4.0 + kCharacter * static_cast<double>(axis.size()) + 24.0;
    for (std::size_t i = 0; i < names.size(); ++i) {
        drawing.rectangle(x, kTop - 20.0, 9.0, 9.0, kColours[i % kColours.size()]);
        drawing.text(x + 13.0, kTop - 12.0, names[i], "start");
        x += 13.0 + kCharacter * static_cast<double>(names[i].size()) + 18.0;
    }
}

/// The end of a long name, which tells more than its beginning.
std::string shortened(const std::string& text, std::size_t most)
{
    return text.size() <= most ? text : "…" + text.substr(text.size() - most);
}

constexpr std::size_t kMostCharacters = 28;

double heightWithNames(const std::vector<std::string>& names)
{
    std::size_t longest = 0;
    for (const std::string& name : names) {
        longest = std::max(longest, std::min(name.size(), kMostCharacters + 1));
    }
    return kTop + kPlotHeight + 14.0 + kCharacter * static_cast<double>(longest);
}

/// Upright names below places, as many as have room.
void names(Drawing& drawing, const std::vector<std::string>& texts, double pitch)
{
    const auto stride
        = static_cast<std::size_t>(std::max(1.0, std::ceil(kFont * 1.05 / std::max(pitch, 1e-6))));
    for (std::size_t i = 0; i < texts.size(); i += stride) {
        const double x = kLeft + pitch * (static_cast<double>(i) + 0.5) + kFont / 3.0;
        drawing.text(x, kTop + kPlotHeight + 6.0, shortened(texts[i], kMostCharacters), "end", -90.0);
    }
    drawing.line(kLeft, kTop + kPlotHeight, kWidth - kRight, kTop + kPlotHeight, "#888888");
}

} // namespace

std::string svgBars(const SvgBars& chart)
{
    std::vector<std::string> labels;
    double largest = 0.0;
    for (const SvgBars::Bar& bar : chart.bars) {
        labels.push_back(bar.label);
        for (const double value : {bar.value, bar.interval ? bar.interval->second : 0.0}) {
            largest = std::isfinite(value) ? std::max(largest, value) : largest;
        }
    }
    Drawing drawing(heightWithNames(labels));
    const ValueAxis values(drawing, chart.axis, 0.0, largest * 1.05);
    legend(drawing, chart.colours, chart.axis);
    const double pitch = (kWidth - kLeft - kRight) / std::max(1.0, static_cast<double>(chart.bars.size()));
    const double width = std::clamp(pitch * 0.7, 0.8, 24.0);
    for (std::size_t i = 0; i < chart.bars.size(); ++i) {
        const SvgBars::Bar& bar = chart.bars[i];
        if (!std::isfinite(bar.value)) {
            continue;
        }
        const double centre = kLeft + pitch * (static_cast<double>(i) + 0.5);
        const double top = values.at(std::max(bar.value, 0.0));
        drawing.rectangle(centre - width / 2.0, top, width, kTop + kPlotHeight - top,
            kColours[static_cast<std::size_t>(bar.colour) % kColours.size()]);
        if (bar.interval && std::isfinite(bar.interval->first) && std::isfinite(bar.interval->second)
            && pitch >= 6.0) {
            const double low = values.at(std::max(bar.interval->first, 0.0));
            const double high = values.at(std::max(bar.interval->second, 0.0));
            drawing.line(centre, low, centre, high, "#333333");
            drawing.line(centre - 2.0, low, centre + 2.0, low, "#333333");
            drawing.line(centre - 2.0, high, centre + 2.0, high, "#333333");
        }
    }
    names(drawing, labels, pitch);
    return drawing.document();
}

std::string svgLines(const SvgLines& chart)
{
    double low = 0.0;
    double high = 0.0;
    std::vector<std::string> lineNames;
    for (const SvgLines::Line& line : chart.lines) {
        lineNames.push_back(line.name);
        for (const std::optional<double>& value : line.values) {
            if (value && std::isfinite(*value)) {
                low = std::min(low, *value);
                high = std::max(high, *value);
            }
        }
    }
    Drawing drawing(heightWithNames(chart.places));
    const ValueAxis values(drawing, chart.axis, low, high + (high - low) * 0.05);
    legend(drawing, lineNames, chart.axis);
    const double pitch = (kWidth - kLeft - kRight) / std::max(1.0, static_cast<double>(chart.places.size()));
    for (std::size_t l = 0; l < chart.lines.size(); ++l) {
        const auto& line = chart.lines[l].values;
        std::string points;
        for (std::size_t i = 0; i <= line.size(); ++i) {
            if (i < line.size() && line[i] && std::isfinite(*line[i])) {
                points += number(kLeft + pitch * (static_cast<double>(i) + 0.5)) + ","
                    + number(values.at(*line[i])) + " ";
            } else if (!points.empty()) {
                drawing.polyline(points, kColours[l % kColours.size()]);
                points.clear();
            }
        }
    }
    names(drawing, chart.places, pitch);
    return drawing.document();
}

std::string svgHistogram(const SvgHistogram& chart)
{
    const auto place = [&](double value) { return chart.isLog2 ? std::log2(value) : value; };
    double most = 1.0;
    for (const double count : chart.counts) {
        most = std::max(most, count);
    }
    Drawing drawing(kTop + kPlotHeight + 30.0);
    const ValueAxis counts(drawing, "values, log10 of their number", 0.0, std::log10(most) * 1.05 + 0.1);
    if (chart.edges.size() == chart.counts.size() + 1 && chart.edges.size() > 1) {
        double low = place(chart.edges.front());
        double high = place(chart.edges.back());
        for (const double mark : chart.marks) {
            if (std::isfinite(place(mark))) {
                low = std::min(low, place(mark));
                high = std::max(high, place(mark));
            }
        }
        const double room = (high - low) * 0.02 + 1e-30;
        low -= room;
        high += room;
        const auto x = [&](double value) {
            return kLeft + (kWidth - kLeft - kRight) * (place(value) - low) / (high - low);
        };
        for (std::size_t i = 0; i < chart.counts.size(); ++i) {
            if (chart.counts[i] > 0.0) {
                const double top = counts.at(std::max(0.05, std::log10(chart.counts[i])));
                const double left = x(chart.edges[i]);
                drawing.rectangle(left, top, std::max(0.3, x(chart.edges[i + 1]) - left),
                    kTop + kPlotHeight - top, kColours[0]);
            }
        }
        const double step
            = chart.isLog2 ? std::max(1.0, std::ceil((high - low) / 10.0)) : stepFor(high - low) / 2.0;
        for (const double tick : ticks(low, high, step)) {
            const double at = kLeft + (kWidth - kLeft - kRight) * (tick - low) / (high - low);
            drawing.line(at, kTop + kPlotHeight, at, kTop + kPlotHeight + 4.0, "#888888");
            const std::string text = shortNumber(tick);
            drawing.text(at, kTop + kPlotHeight + 15.0, chart.isLog2 ? "2^" + text : text, "middle");
        }
        for (const double mark : chart.marks) {
            if (std::isfinite(place(mark))) {
                drawing.line(x(mark), kTop - 4.0, x(mark), kTop + kPlotHeight, "#000000", 1.5);
                const bool isRight = x(mark) > kWidth / 2.0; // beside its line, towards the middle
                drawing.text(x(mark) + (isRight ? -4.0 : 4.0), kTop + 6.0, shortNumber(mark),
                    isRight ? "end" : "start");
            }
        }
    }
    drawing.line(kLeft, kTop + kPlotHeight, kWidth - kRight, kTop + kPlotHeight, "#888888");
    drawing.text(kWidth - kRight, kTop + kPlotHeight + 27.0, chart.axis, "end");
    return drawing.document();
}

} // namespace qs
