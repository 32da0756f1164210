#pragma once

#include "core/quant/resolve.h"
#include "core/runtime/executor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <memory>
#include <vector>

namespace qs::test {

/// Smallest and largest value of every activation site.
class RangeObserver final : public SiteObserver
{
public:
    explicit RangeObserver(std::size_t sites)
        : m_bounds(sites, Bounds {std::numeric_limits<double>::max(), std::numeric_limits<double>::lowest()})
    {
    }
    [[nodiscard]] bool wants(int) const override { return true; }
    void observe(int site, const ActivationView& view) override
    {
        Bounds& bounds = m_bounds[static_cast<std::size_t>(site)];
        for (std::int64_t sample = 0; sample < view.batch; ++sample) {
            for (std::int64_t head = 0; head < view.heads; ++head) {
                for (std::int64_t row = 0; row < view.rows; ++row) {
                    const float* values = view.row(sample, head, row);
                    const auto [least, most] = std::minmax_element(values, values + view.width);
                    bounds.lower = std::min(bounds.lower, static_cast<double>(*least));
                    bounds.upper = std::max(bounds.upper, static_cast<double>(*most));
                }
            }
        }
    }
    [[nodiscard]] const Bounds& bounds(int site) const { return m_bounds[static_cast<std::size_t>(site)]; }

private:
    std::vector<Bounds> m_bounds;
};

/// What a test quantizes a whole model with.
struct Scheme
{
    Symmetry activations = Symmetry::Symmetric;
    int bits = 8; ///< of weights and activations, but not of the patch convolution's input
    QuantizerKind softmax = QuantizerKind::Uniform;
    std::vector<Role> inFloat; ///< sites of these roles are not quantized
};

/// Min-max quantizers of every site: activations per tensor from `samples`, weights symmetric per output
/// channel.
inline ResolvedPlan minMaxQuantizers(
    const std::shared_ptr<const Model>& model, const Tensor& samples, const Scheme& scheme)
{
    Executor executor(model);
    RangeObserver ranges(model->sites.size());
    const std::array<Feed, 1> feeds {Feed {model->graph->inputs().front(), samples}};
    const std::array<ValueId, 1> fetches {model->graph->outputs().front()};
    (void)executor.run(feeds, fetches, &ranges);

    ResolvedPlan quantizers;
    for (int i = 0; i < static_cast<int>(model->sites.size()); ++i) {
        const Site& site = model->sites[static_cast<std::size_t>(i)];
        if (std::ranges::find(scheme.inFloat, site.role) != scheme.inFloat.end()) {
            continue;
        }
        if (site.kind == SiteKind::Weight) {
            SiteChoice choice;
            choice.symmetry = Symmetry::Symmetric;
            choice.granularity = Granularity::Group;
            choice.bits = scheme.bits;
            quantizers[site.name]
                = resolveWeight(choice, model->graph->value(site.value).constant.toF32(), site.weightAxis);
            continue;
        }
        QuantParams params;
        params.axis = site.groupAxis;
        params.bits = site.role == Role::PatchEmbedding ? 8 : scheme.bits;
        params.symmetry = scheme.activations;
        if (site.role == Role::Softmax && scheme.softmax != QuantizerKind::Uniform) {
            params.kind = scheme.softmax;
            params.symmetry = Symmetry::Asymmetric;
        }
        appendScale(params, ranges.bounds(i));
        quantizers[site.name] = params;
    }
    return quantizers;
}

/// `count` samples made from the rows of `base` [N, ...]: each is a blend of two of them, so that it stays an
/// input of the kind the model knows.
inline Tensor blends(const Tensor& base, std::int64_t count)
{
    std::vector<std::int64_t> dims = base.shape().dims();
    const auto originals = static_cast<std::size_t>(dims[0]);
    dims[0] = count;
    Tensor result(DType::F32, Shape(dims));
    const auto in = base.data<float>();
    const auto out = result.mutableData<float>();
    const std::size_t width = in.size() / originals;
    for (std::size_t sample = 0; sample < static_cast<std::size_t>(count); ++sample) {
        const float* first = in.data() + sample % originals * width;
        const float* second = in.data() + (sample / originals + sample + 1) % originals * width;
        const float share = static_cast<float>(sample) / static_cast<float>(count);
        for (std::size_t i = 0; i < width; ++i) {
            out[sample * width + i] = (1.0F - share) * first[i] + share * second[i];
        }
    }
    return result;
}

} // namespace qs::test
