#pragma once

#include "core/base/hash.h"
#include "core/stats/site_statistics.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// How a calibration file states the sums of a bin.
enum class BinForm {
    Places, ///< floats: sums of t and t^2, t in [0, 1) being a value's place between the bin's edges
    Sums ///< doubles: sums of x and x^2
};

/// The statistics of one site as flat arrays: what a calibration file holds of it. Arrays of the first kind
/// have one entry per group; those of bins hold the bins of all groups one after the other, bins[g] of them
/// for group g.
struct CalibrationArrays
{
    std::string name;
    GroupAxis axis = GroupAxis::Channel;
    BinForm form = BinForm::Places;
    std::vector<std::uint64_t> count;
    std::vector<std::uint64_t> nonFinite;
    std::vector<float> minimum;
    std::vector<float> maximum;
    std::vector<double> sum;
    std::vector<double> squares;
    std::vector<std::uint8_t> scale; ///< 0 linear, 1 log2
    std::vector<double> width;
    std::vector<std::int64_t> firstBin;
    std::vector<std::uint64_t> zeros;
    std::vector<std::uint32_t> bins;
    std::vector<std::uint64_t> binCount;
    std::vector<float> placeSum; ///< BinForm::Places
    std::vector<float> placeSquares;
    std::vector<double> binSum; ///< BinForm::Sums
    std::vector<double> binSquares;
    /// SampleRanges; all empty where nothing is known of samples.
    std::vector<std::int64_t> lowestSample;
    std::vector<float> lowestMinimum;
    std::vector<float> lowestMaximum;
    std::vector<std::int64_t> highestSample;
    std::vector<float> highestMinimum;
    std::vector<float> highestMaximum;
    std::vector<std::int64_t> spanSamples;
    std::vector<float> spanMinimum; ///< 0 and 0 with spanValues 0: no finite value
    std::vector<float> spanMaximum;
    std::vector<std::uint8_t> spanValues; ///< 1: there are some

    [[nodiscard]] bool hasSamples() const { return !spanSamples.empty(); }
};

/// Lossless: Places where all bins of the site have such floats, else Sums.
[[nodiscard]] CalibrationArrays flattened(const SiteStatistics& site);

/// Inverse of flattened(). `subject` names file and site in the sentence of Error(CorruptFile), which is
/// thrown when the arrays differ in length or contradict each other.
[[nodiscard]] std::shared_ptr<const SiteStatistics> restored(
    const CalibrationArrays& arrays, const std::string& subject);

/// Adds everything the arrays hold to a hash.
void hashArrays(Sha256& hash, const CalibrationArrays& arrays);

} // namespace qs
