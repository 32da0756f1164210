#include "core/stats/sample_ranges.h"

#include <algorithm>

namespace qs {

namespace {

/// Keeps a list of extremes sorted by `before` and short.
template<typename Before>
void insert(std::vector<SampleRange>& list, const SampleRange& entry, Before before)
{
    list.insert(std::upper_bound(list.begin(), list.end(), entry, before), entry);
    if (list.size() > SampleRanges::kExtremes) {
        list.pop_back();
    }
}

bool isLower(const SampleRange& a, const SampleRange& b)
{
    return a.minimum < b.minimum;
}

bool isHigher(const SampleRange& a, const SampleRange& b)
{
    return a.maximum > b.maximum;
}

void include(ValueRange& range, const ValueRange& other)
{
    if (!other.isEmpty) {
        range.include(other.minimum, other.maximum);
    }
}

/// Neighbours two by two.
void halve(std::vector<SampleSpan>& spans)
{
    std::vector<SampleSpan> wider;
    for (std::size_t i = 0; i < spans.size(); ++i) {
        if (i % 2 == 0) {
            wider.push_back(spans[i]);
        } else {
            wider.back().samples += spans[i].samples;
            include(wider.back().range, spans[i].range);
        }
    }
    spans = std::move(wider);
}

} // namespace

void ValueRange::include(float low, float high)
{
    low += 0.0F; // no negative zero: which of the two comes first depends on the kernel
    high += 0.0F;
    minimum = isEmpty ? low : std::min(minimum, low);
    maximum = isEmpty ? high : std::max(maximum, high);
    isEmpty = false;
}

void SampleRanges::add(const ValueRange& range)
{
    if (!range.isEmpty) {
        const SampleRange entry {samples, range.minimum, range.maximum};
        insert(lowest, entry, isLower);
        insert(highest, entry, isHigher);
    }
    ++samples;
    if (spans.empty() || (spans.back().samples >= spans.front().samples)) {
        if (spans.size() == kSpans) {
            halve(spans);
        }
        spans.push_back({0, {}});
    }
    ++spans.back().samples;
    qs::include(spans.back().range, range);
}

SampleRanges joined(const SampleRanges& first, const SampleRanges& second)
{
    SampleRanges sum = first;
    const auto moved = [&](SampleRange entry) {
        entry.sample += first.samples;
        return entry;
    };
    for (const SampleRange& entry : second.lowest) {
        insert(sum.lowest, moved(entry), isLower);
    }
    for (const SampleRange& entry : second.highest) {
        insert(sum.highest, moved(entry), isHigher);
    }
    sum.samples += second.samples;
    sum.spans.insert(sum.spans.end(), second.spans.begin(), second.spans.end());
    while (sum.spans.size() > SampleRanges::kSpans) {
        halve(sum.spans);
    }
    return sum;
}

} // namespace qs
