#include "core/eval/sensitivity.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/eval/model_feeds.h"
#include "core/eval/sensitivity_run.h"
#include "core/eval/site_error.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace qs {

namespace {

constexpr std::int64_t kBatch = 8;

void add(Sha256& hash, const std::string& text)
{
    const std::uint64_t size = text.size();
    hash.update(std::as_bytes(std::span(&size, 1)));
    hash.update(std::as_bytes(std::span(text)));
}

/// Everything a result depends on besides the site's choice: model, statistics, the samples themselves with
/// their labels, and the options of the measurement.
std::string basisOf(const Model& model, const Calibration& calibration, const DataSource& data,
    std::int64_t samples, const SensitivityOptions& options)
{
    Sha256 hash;
    for (const std::string& text : {model.hash, model.configHash, calibration.modelHash, calibration.dataHash,
             calibration.dataPreparation}) {
        add(hash, text);
    }
    const std::array<std::int64_t, 5> numbers {calibration.sampleCount, samples, options.causes ? 1 : 0,
        options.bootstrap.resamples, static_cast<std::int64_t>(options.bootstrap.seed)};
    hash.update(std::as_bytes(std::span(numbers)));
    hash.update(std::as_bytes(std::span(&options.bootstrap.coverage, 1)));
    for (std::int64_t i = 0; i < samples; ++i) {
        const Tensor sample = data.load(i);
        const std::int64_t label = data.label(i).value_or(-1);
        hash.update(std::as_bytes(std::span(&label, 1)));
        hash.update(std::span(sample.bytes(), sample.byteCount()));
    }
    return hash.hex();
}

/// A place in the results: known already, or to be measured.
struct Entry
{
    std::optional<SiteSensitivity> result;
    std::optional<SiteMeasurement> measurement;
};

class Sensitivity
{
public:
    Sensitivity(std::shared_ptr<const Model> model, const DataSource& data, const SensitivityOptions& options,
        const TaskContext& context, const SensitivityProgress& onProgress)
        : m_executor(std::move(model))
        , m_data(data)
        , m_options(options)
        , m_context(context)
        , m_onProgress(onProgress)
        , m_samples(sampleCountOf(*m_executor.model().graph, data, options.samples))
    {
    }

    std::vector<SiteSensitivity> run(const Plan& plan, const Calibration& calibration)
    {
        makeEntries(plan, calibration);
        const bool allKnown = std::ranges::none_of(
            m_entries, [](const Entry& entry) { return entry.measurement.has_value(); });
        for (std::int64_t first = 0; first < m_samples && !allKnown;) {
            std::vector<HeldBatch> held;
            first = hold(held, first);
            measure(held, calibration, first == m_samples);
        }
        return results();
    }

private:
    [[nodiscard]] const Model& model() const { return m_executor.model(); }

    void makeEntries(const Plan& plan, const Calibration& calibration)
    {
        m_basis = basisOf(model(), calibration, m_data, m_samples, m_options);
        for (int i = 0; i < static_cast<int>(model().sites.size()); ++i) {
            const Site& site = model().sites[static_cast<std::size_t>(i)];
            SiteChoice choice = sensitivityChoice(plan, site.name, site.kind, m_options.fallback);
            for (const int bits :
                m_options.widths.empty() ? std::vector<int> {choice.bits} : m_options.widths) {
                m_context.throwIfCancelled();
                choice.bits = bits;
                Entry& entry = m_entries.emplace_back();
                const auto known = std::ranges::find_if(m_options.known, [&](const SiteSensitivity& result) {
                    return result.site == site.name && result.choice == choice && result.basis == m_basis;
                });
                if (known != m_options.known.end()) {
                    entry.result = *known;
                    entry.result->atPlannedBits = m_options.widths.empty();
                    continue;
                }
                SiteMeasurement& measurement = entry.measurement.emplace();
                measurement.site = i;
                measurement.choice = choice;
            }
        }
    }

    /// FP32 values of the samples from `first` on, as many as may be held; the number of the next one.
    std::int64_t hold(std::vector<HeldBatch>& held, std::int64_t first)
    {
        const std::int64_t batch = batchSizeOf(model(), m_data, kBatch);
        const TaskContext inner {m_context.stop, {}};
        std::size_t bytes = 0;
        std::size_t largest = 0;
        do {
            m_context.throwIfCancelled();
            m_context.report("reference", first, m_samples);
            const Tensor inputs = loadBatch(m_data, first, std::min(batch, m_samples - first));
            Fp32Cache fp32(m_executor, inputs, inner);
            largest = std::max(largest, fp32.byteCount());
            bytes += fp32.byteCount();
            std::vector<std::optional<int>> targets
                = targetsOf(model(), m_data, first, inputs, fp32.output().shape());
            const auto sums = metricSums(fp32.output(), fp32.output(), targets);
            m_fp32.insert(m_fp32.end(), sums.begin(), sums.end());
            held.push_back({std::move(fp32), std::move(targets)});
            first += inputs.shape()[0];
        } while (first < m_samples && bytes + largest <= m_options.cacheBytes);
        return first;
    }

    void resolve(SiteMeasurement& measurement, const Calibration& calibration)
    {
        const Site& site = model().sites[static_cast<std::size_t>(measurement.site)];
        measurement.params = resolveSite(model(), site, measurement.choice, calibration, m_context);
        measurement.error = siteError(model(), calibration, site, measurement.params);
    }

    void measure(const std::vector<HeldBatch>& held, const Calibration& calibration, bool isLast)
    {
        const TaskContext inner {m_context.stop, {}};
        std::int64_t samples = 0;
        for (const HeldBatch& batch : held) {
            samples += batch.fp32.samples().shape()[0];
        }
        const auto fp32 = std::span(m_fp32).last(static_cast<std::size_t>(samples));
        std::int64_t done = 0;
        for (Entry& entry : m_entries) {
            m_context.throwIfCancelled();
            m_context.report("sensitivity", done++, static_cast<std::int64_t>(m_entries.size()));
            if (!entry.measurement) {
                continue;
            }
            if (entry.measurement->params.scales.empty()) {
                resolve(*entry.measurement, calibration);
            }
            measureHeld(m_executor, held, fp32, m_options.causes, *entry.measurement, inner);
            entry.result = resultOf(model(), *entry.measurement, m_fp32, m_options.bootstrap);
            entry.result->basis = m_basis;
            entry.result->atPlannedBits = m_options.widths.empty();
            if (isLast) {
                entry.measurement.reset();
            }
            if (m_onProgress) {
                m_onProgress(results());
            }
        }
    }

    [[nodiscard]] std::vector<SiteSensitivity> results() const
    {
        std::vector<SiteSensitivity> found;
        for (const Entry& entry : m_entries) {
            if (entry.result) {
                found.push_back(*entry.result);
            }
        }
        return found;
    }

    Executor m_executor;
    const DataSource& m_data;
    const SensitivityOptions& m_options;
    const TaskContext& m_context;
    const SensitivityProgress& m_onProgress;
    std::int64_t m_samples;
    std::string m_basis;
    std::vector<Entry> m_entries;
    std::vector<MetricSums> m_fp32; ///< FP32 against itself, one entry per sample
};

} // namespace

SiteChoice defaultFallback()
{
    SiteChoice choice;
    choice.enabled = true;
    choice.bits = 4;
    return choice;
}

SiteChoice sensitivityChoice(
    const Plan& plan, const std::string& site, SiteKind kind, const SiteChoice& fallback)
{
    const SiteChoice* choice = plan.find(site);
    if (choice != nullptr && choice->enabled) {
        return *choice;
    }
    SiteChoice result = fallback;
    if (kind == SiteKind::Weight) {
        result.granularity = Granularity::Group;
    }
    return result;
}

std::vector<SiteSensitivity> measureSensitivity(std::shared_ptr<const Model> model, const Plan& plan,
    const Calibration& calibration, const DataSource& data, const SensitivityOptions& options,
    const TaskContext& context, const SensitivityProgress& onProgress)
{
    for (const int bits : options.widths) {
        if (bits < kMinBits || bits > kMaxBits) {
            throw Error(ErrorCode::InvalidArgument,
                "a width of " + std::to_string(bits) + " bits is outside " + std::to_string(kMinBits) + " to "
                    + std::to_string(kMaxBits));
        }
    }
    return Sensitivity(std::move(model), data, options, context, onProgress).run(plan, calibration);
}

} // namespace qs
