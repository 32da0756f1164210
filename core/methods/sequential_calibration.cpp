#include "core/methods/sequential_calibration.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/methods/row_source.h"
#include "core/quant/bound_search.h"
#include "core/quant/fake_quantizer.h"

#include <optional>

namespace qs {

namespace {

std::vector<Bounds> boundsOfGroups(
    const Site& site, const SiteChoice& choice, const std::vector<std::vector<float>>& groups)
{
    std::vector<Bounds> bounds(groups.size());
    parallelFor(static_cast<std::int64_t>(groups.size()), 4, [&](std::int64_t begin, std::int64_t end) {
        for (auto g = static_cast<std::size_t>(begin); g < static_cast<std::size_t>(end); ++g) {
            bounds[g] = searchBounds(choice,
                RowSource(viewOf(groups[g]),
                    "channel or head " + std::to_string(g) + " of site '" + site.name + "'"));
        }
    });
    return bounds;
}

} // namespace

QuantParams quantizerOfValues(const Site& site, const SiteChoice& choice, const ActivationView& view)
{
    QuantParams params;
    params.kind = choice.kind;
    params.symmetry = choice.symmetry;
    params.granularity = choice.granularity;
    params.axis = site.groupAxis;
    params.bits = choice.bits;
    std::vector<Bounds> bounds;
    if (choice.method == BoundMethod::Manual) {
        throw Error(ErrorCode::InvalidArgument,
            "site '" + site.name + "' has manual bounds, which a method does not search for");
    }
    if (choice.granularity == Granularity::Tensor) {
        bounds = {searchBounds(choice, RowSource(view, "site '" + site.name + "'"))};
    } else {
        bounds = boundsOfGroups(
            site, choice, site.groupAxis == GroupAxis::Channel ? columnsOf(view) : headsOf(view));
    }
    for (const Bounds& each : bounds) {
        appendScale(params, each);
    }
    return params;
}

namespace {

/// Keeps the values of one site, dense, sample after sample.
class SiteCollector final : public SiteObserver
{
public:
    explicit SiteCollector(int site)
        : m_site(site)
    {
    }
    [[nodiscard]] bool wants(int site) const override { return site == m_site; }
    void observe(int, const ActivationView& view) override
    {
        m_shape = view;
        m_samples += view.batch;
        for (std::int64_t sample = 0; sample < view.batch; ++sample) {
            for (std::int64_t head = 0; head < view.heads; ++head) {
                for (std::int64_t row = 0; row < view.rows; ++row) {
                    const float* values = view.row(sample, head, row);
                    m_values.insert(m_values.end(), values, values + view.width);
                }
            }
        }
    }
    [[nodiscard]] ActivationView view() const
    {
        const std::int64_t head = m_shape.rows * m_shape.width;
        return {m_values.data(), m_samples, m_shape.heads, m_shape.rows, m_shape.width, m_shape.heads * head,
            head, m_shape.width};
    }

private:
    int m_site;
    ActivationView m_shape {};
    std::int64_t m_samples = 0;
    std::vector<float> m_values;
};

} // namespace

ResolvedPlan calibrateSampleBySample(Executor& executor, const Plan& plan,
    std::span<const std::vector<Feed>> samples, NodeId stop, const TaskContext& context)
{
    const Model& model = executor.model();
    const auto sites = static_cast<std::int64_t>(model.sites.size());
    ResolvedPlan result;
    for (std::int64_t i = 0; i < sites; ++i) {
        const Site& site = model.sites[static_cast<std::size_t>(i)];
        const SiteChoice* choice = plan.find(site.name);
        context.report("calibrate", i, sites);
        const bool isOpen = site.kind == SiteKind::Activation && choice != nullptr && choice->enabled;
        if (!isOpen || site.readers.front().first >= stop) {
            continue;
        }
        SiteCollector collector(static_cast<int>(i));
        const ValueId reader = model.graph->node(site.readers.front().first).outputs.front();
        for (const std::vector<Feed>& feeds : samples) {
            (void)executor.run(feeds, {&reader, 1}, &collector, {context.stop, {}});
        }
        QuantParams params = quantizerOfValues(site, *choice, collector.view());
        executor.setSiteTransform(static_cast<int>(i), std::make_shared<FakeQuantizer>(params));
        result[site.name] = std::move(params);
    }
    context.report("calibrate", sites, sites);
    return result;
}

/// Stands in the executor before its scales are known; from the moment they are it is their FakeQuantizer.
class SequentialCalibration::LateQuantizer final : public RowTransform
{
public:
    void set(QuantParams params) { m_quantizer.emplace(std::move(params)); }
    void transformRow(std::int64_t head, std::span<const float> in, float* out) const override
    {
        if (!m_quantizer) {
            throw Error(
                ErrorCode::Internal, "a quantizer was needed before the values it is made from were seen");
        }
        m_quantizer->transformRow(head, in, out);
    }
    [[nodiscard]] const std::optional<FakeQuantizer>& quantizer() const { return m_quantizer; }

private:
    std::optional<FakeQuantizer> m_quantizer;
};

SequentialCalibration::SequentialCalibration(Executor& executor, const Plan& plan)
    : m_sites(executor.model().sites)
    , m_choices(m_sites.size(), nullptr)
    , m_quantizers(m_sites.size())
    , m_plan(plan)
{
    for (std::size_t i = 0; i < m_sites.size(); ++i) {
        const SiteChoice* choice = m_plan.find(m_sites[i].name);
        if (m_sites[i].kind == SiteKind::Activation && choice != nullptr && choice->enabled) {
            m_choices[i] = choice;
            m_quantizers[i] = std::make_shared<LateQuantizer>();
            executor.setSiteTransform(static_cast<int>(i), m_quantizers[i]);
        }
    }
}

SequentialCalibration::~SequentialCalibration() = default;

bool SequentialCalibration::wants(int site) const
{
    return m_choices[static_cast<std::size_t>(site)] != nullptr
        && !m_quantizers[static_cast<std::size_t>(site)]->quantizer();
}

void SequentialCalibration::observe(int site, const ActivationView& view)
{
    const auto index = static_cast<std::size_t>(site);
    m_quantizers[index]->set(quantizerOfValues(m_sites[index], *m_choices[index], view));
}

ResolvedPlan SequentialCalibration::quantizers() const
{
    ResolvedPlan result;
    for (std::size_t i = 0; i < m_sites.size(); ++i) {
        if (m_quantizers[i] != nullptr && m_quantizers[i]->quantizer()) {
            result[m_sites[i].name] = m_quantizers[i]->quantizer()->params();
        }
    }
    return result;
}

} // namespace qs
