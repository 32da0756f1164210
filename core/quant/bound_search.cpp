#include "core/quant/bound_search.h"

#include "core/quant/ada_log.h"
#include "core/quant/histogram_divergence.h"
#include "core/quant/scale.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

namespace qs {

namespace {

bool isLogarithmic(const SiteChoice& choice)
{
    return choice.kind != QuantizerKind::Uniform;
}

bool isAsymmetric(const SiteChoice& choice)
{
    return !isLogarithmic(choice) && choice.symmetry == Symmetry::Asymmetric;
}

/// The interval in the form that the quantizer can have.
Bounds shaped(const SiteChoice& choice, double lower, double upper)
{
    if (choice.kind == QuantizerKind::AdaLog) {
        return adaLogBounds(std::max(upper, 0.0), adaLogBase({lower, upper}));
    }
    if (isLogarithmic(choice)) {
        return {0.0, std::max(upper, 0.0)};
    }
    if (choice.symmetry == Symmetry::Symmetric && lower < upper) { // a constant keeps its sign
        const double largest = std::max(std::abs(lower), std::abs(upper));
        return {-largest, largest};
    }
    return {lower, upper};
}

/// What makes one quantizer better than another: less of it.
using Measure = std::function<double(const QuantParams&)>;

Measure squaredErrorOn(const BoundSource& values)
{
    return [&values](const QuantParams& params) { return values.squaredError(params); };
}

/// Remembers the bounds of least measure; earlier candidates win ties.
class Best
{
public:
    Best(const SiteChoice& choice, const Measure& measure)
        : m_choice(choice)
        , m_measure(measure)
    {
    }

    /// Whether the candidate is the best so far.
    bool offer(double lower, double upper)
    {
        const Bounds bounds = shaped(m_choice, lower, upper);
        const double error
            = m_measure(paramsForBounds(m_choice.kind, m_choice.symmetry, m_choice.bits, bounds));
        if (m_any && !(error < m_error)) {
            return false;
        }
        m_any = true;
        m_error = error;
        m_bounds = bounds;
        return true;
    }
    [[nodiscard]] const Bounds& bounds() const { return m_bounds; }

private:
    const SiteChoice& m_choice;
    const Measure& m_measure;
    Bounds m_bounds;
    double m_error = 0.0;
    bool m_any = false;
};

Bounds percentileBounds(const SiteChoice& choice, const BoundSource& values)
{
    const Measure error = squaredErrorOn(values);
    Best best(choice, error);
    for (const double p : {0.999, 0.9999, 0.99999}) {
        best.offer(values.quantile(1.0 - p), values.quantile(p));
    }
    return best.bounds();
}

/// Factors in hundredths, so that steps add up exactly.
struct Shrink
{
    int lower = 100;
    int upper = 100;
};

constexpr int kLeastFactor = 5;
constexpr int kCoarseStep = 5;
constexpr std::array kSteps {10, 5, 2, 1};

/// What an interval search tries before it moves step by step.
enum class Start {
    CommonFactors,
    AllPairs ///< for cheap measures that jump: where cells begin beside a peak matters
};

Bounds bestInterval(const SiteChoice& choice, const BoundSource& values, const Measure& measure, Start start)
{
    Best best(choice, measure);
    const double mean = values.mean();
    const auto offer = [&](const Shrink& shrink) {
        const auto inside = [](int factor) { return factor >= kLeastFactor && factor <= 100; };
        // Written so that factor 1 is the bound itself, bit for bit.
        const auto bound
            = [mean](int factor, double edge) { return edge + (100 - factor) * 0.01 * (mean - edge); };
        return inside(shrink.lower) && inside(shrink.upper)
            && best.offer(bound(shrink.lower, values.minimum()), bound(shrink.upper, values.maximum()));
    };
    Shrink current;
    for (int lower = 100; lower >= kLeastFactor; lower -= kCoarseStep) {
        for (int upper = 100; upper >= kLeastFactor; upper -= kCoarseStep) {
            if ((start == Start::AllPairs || lower == upper) && offer({lower, upper})) {
                current = {lower, upper};
            }
        }
    }
    constexpr std::array kMoves {
        Shrink {-1, 0}, Shrink {1, 0}, Shrink {0, -1}, Shrink {0, 1}, Shrink {-1, -1}, Shrink {1, 1}};
    for (const int step : kSteps) {
        for (bool moved = true; moved;) {
            const Shrink origin = current;
            moved = false;
            for (const Shrink& move : kMoves) {
                const Shrink next {origin.lower + step * move.lower, origin.upper + step * move.upper};
                if (offer(next)) {
                    current = next;
                    moved = true;
                }
            }
        }
    }
    return best.bounds();
}

Bounds bestMagnitude(const SiteChoice& choice, const BoundSource& values, const Measure& measure)
{
    Best best(choice, measure);
    const double largest = std::max(std::abs(values.minimum()), std::abs(values.maximum()));
    const auto offer = [&](int factor) {
        const double bound = largest - (100 - factor) * 0.01 * largest;
        return factor >= kLeastFactor && factor <= 100 && best.offer(-bound, bound);
    };
    int current = 100;
    for (int factor = 100; factor >= kLeastFactor; factor -= kCoarseStep) {
        current = offer(factor) ? factor : current;
    }
    for (const int step : {2, 1}) {
        for (bool moved = true; moved;) {
            const int origin = current;
            for (const int next : {origin - step, origin + step}) {
                current = offer(next) ? next : current;
            }
            moved = current != origin;
        }
    }
    return best.bounds();
}

Bounds bestBase(const SiteChoice& choice, const BoundSource& values, const Measure& measure)
{
    constexpr int kPerOctave = 16;
    constexpr int kOctaves = 4;
    Best best(choice, measure);
    for (int j = 0; j <= kOctaves * kPerOctave; ++j) {
        best.offer(0.0, values.maximum() * std::exp2(-static_cast<double>(j) / kPerOctave));
    }
    return best.bounds();
}

/// The base of least error for one d: every eighth, then by ever smaller steps from the best of them.
void offerAdaLogBases(Best& best, double d)
{
    const auto offer = [&](int base) {
        const Bounds bounds = adaLogBounds(d, base);
        return base >= kLeastAdaLogBase && base <= kMostAdaLogBase && best.offer(bounds.lower, bounds.upper);
    };
    constexpr int kCoarse = 8;
    int centre = kLeastAdaLogBase;
    for (int base = kLeastAdaLogBase; base <= kMostAdaLogBase; base += kCoarse) {
        centre = offer(base) ? base : centre;
    }
    for (int step = kCoarse / 2; step > 0; step /= 2) {
        const int origin = centre;
        for (const int base : {origin - step, origin + step}) {
            centre = offer(base) ? base : centre;
        }
    }
}

/// d as the other logarithmic quantizers find it, by log-sqrt2 where it is searched, then the base of least
/// squared error.
Bounds adaLogInterval(const SiteChoice& choice, const BoundSource& values)
{
    SiteChoice fixed = choice;
    fixed.kind = QuantizerKind::LogSqrt2;
    const double d = searchBounds(fixed, values).upper;
    const Measure error = squaredErrorOn(values);
    Best best(choice, error);
    if (d > 0.0) {
        offerAdaLogBases(best, d);
    }
    return best.bounds();
}

Bounds bestBounds(const SiteChoice& choice, const BoundSource& values, const Measure& measure, Start start)
{
    if (isLogarithmic(choice)) {
        return bestBase(choice, values, measure);
    }
    return isAsymmetric(choice) ? bestInterval(choice, values, measure, start)
                                : bestMagnitude(choice, values, measure);
}

} // namespace

Bounds searchBounds(const SiteChoice& choice, const BoundSource& values)
{
    const double minimum = values.minimum();
    const double maximum = values.maximum();
    if (choice.kind == QuantizerKind::AdaLog && minimum < maximum && maximum > 0.0) {
        return adaLogInterval(choice, values);
    }
    if (choice.method == BoundMethod::MinMax || !(minimum < maximum)) {
        return shaped(choice, minimum, maximum);
    }
    if (choice.method == BoundMethod::Percentile) {
        return percentileBounds(choice, values);
    }
    if (choice.method == BoundMethod::Kl && !isLogarithmic(choice)) {
        const HistogramDivergence divergence(choice.bits, values);
        return bestBounds(
            choice, values, [&](const QuantParams& params) { return divergence.of(params); },
            Start::AllPairs);
    }
    return bestBounds(choice, values, squaredErrorOn(values), Start::CommonFactors);
}

} // namespace qs
