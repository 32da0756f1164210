#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qs {

/// Charts of a report as complete SVG documents (SVG Tiny 1.2: shapes and text without style sheets), drawn
/// on white. Labels may be any text. Numbers that are not finite are left out.

/// Bars at 0, 1, 2…, from 0 upwards; negative values count as 0.
struct SvgBars
{
    struct Bar
    {
        std::string label;
        double value = 0.0;
        std::optional<std::pair<double, double>> interval {}; ///< whisker
        int colour = 0; ///< index into `colours`
    };
    std::string axis; ///< of the values, with its unit
    std::vector<std::string> colours; ///< what each colour stands for; up to four
    std::vector<Bar> bars;
};
[[nodiscard]] std::string svgBars(const SvgBars& chart);

/// Lines over named places; nullopt: a gap.
struct SvgLines
{
    struct Line
    {
        std::string name;
        std::vector<std::optional<double>> values; ///< one for each place
    };
    std::string axis;
    std::vector<std::string> places;
    std::vector<Line> lines; ///< up to four are told apart
};
[[nodiscard]] std::string svgLines(const SvgLines& chart);

/// Counts on a logarithmic axis over a value axis, with the bounds of a quantizer.
struct SvgHistogram
{
    std::string axis; ///< of the values
    bool isLog2 = false; ///< value axis in octaves; all edges are positive
    std::vector<double> edges; ///< one more than counts
    std::vector<double> counts;
    std::vector<double> marks; ///< bounds, or what is to be pointed out
};
[[nodiscard]] std::string svgHistogram(const SvgHistogram& chart);

} // namespace qs
