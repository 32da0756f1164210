#include "core/runtime/executor.h"

#include "core/base/error.h"
#include "core/runtime/execution_plan.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <unistd.h>
#include <unordered_map>

namespace qs {

namespace {

std::size_t indexOf(int id)
{
    return static_cast<std::size_t>(id);
}

constexpr std::size_t kKeptPlans = 256;

/// Bytes; where the system does not say, enough for any model.
std::size_t physicalMemory()
{
    const long pages = ::sysconf(_SC_PHYS_PAGES);
    const long pageBytes = ::sysconf(_SC_PAGESIZE);
    return pages > 0 && pageBytes > 0 ? static_cast<std::size_t>(pages) * static_cast<std::size_t>(pageBytes)
                                      : std::numeric_limits<std::size_t>::max();
}

} // namespace

class Executor::Implementation
{
public:
    Implementation(std::shared_ptr<const Model> model, const ExecutorOptions& options)
        : m_model(std::move(model))
        , m_graph(*m_model->graph)
        , m_constants(m_model->graph, options.weightBudget.value_or(physicalMemory() / 4))
        , m_transforms(m_model->sites.size())
    {
        for (const Node& node : m_graph.nodes()) {
            KernelRegistry::instance().requireSupported(node);
        }
    }

    void setSiteTransform(int site, std::shared_ptr<const RowTransform> transform)
    {
        if (site < 0 || indexOf(site) >= m_transforms.size()
            || m_model->sites[indexOf(site)].kind != SiteKind::Activation) {
            throw Error(ErrorCode::InvalidArgument, std::to_string(site) + " is not an activation site");
        }
        m_transforms[indexOf(site)] = std::move(transform);
    }

    void setConstant(ValueId constant, const Tensor& replacement)
    {
        m_constants.replace(constant, replacement);
    }

    std::vector<Tensor> run(std::span<const Feed> feeds, std::span<const ValueId> fetches,
        SiteObserver* observer, const TaskContext& context)
    {
        context.throwIfCancelled();
        const auto start = std::chrono::steady_clock::now();
        checkFeeds(feeds);
        checkFetches(fetches);
        const ExecutionPlan& plan = planFor(feeds, fetches, observer);
        Frame frame {{}, m_pool, m_constants, observer, context, m_profile};
        frame.slots.resize(m_graph.values().size() + m_model->sites.size());
        for (const ValueId value : plan.staticValues) {
            frame.slots[indexOf(value)] = staticValue(value, frame);
        }
        for (const Feed& feed : feeds) {
            frame.slots[indexOf(feed.value)] = Array::of(feed.tensor);
        }
        const auto total = static_cast<std::int64_t>(plan.steps.size());
        for (std::size_t step = 0; step < plan.steps.size(); ++step) {
            context.throwIfCancelled();
            context.report("forward", static_cast<std::int64_t>(step), total);
            plan.steps[step]->run(frame);
            for (const Slot slot : plan.releases[step]) {
                frame.slots[slot] = Array();
            }
        }
        context.report("forward", total, total);
        std::vector<Tensor> results;
        for (const ValueId fetch : fetches) {
            Tensor result = toTensor(frame.slots[indexOf(fetch)], m_pool);
            const bool isStoredWeight = result.dtype() == DType::F16 || result.dtype() == DType::BF16;
            results.push_back(isStoredWeight ? result.toF32() : std::move(result));
        }
        if (m_profile != nullptr) {
            m_profile->total
                += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
            ++m_profile->runs;
        }
        return results;
    }

    void setProfile(ExecutionProfile* profile) { m_profile = profile; }
    [[nodiscard]] const Model& model() const { return *m_model; }
    [[nodiscard]] const ConstantStore& constants() const { return m_constants; }
    [[nodiscard]] BufferPool& pool() { return m_pool; }

private:
    void checkFeeds(std::span<const Feed> feeds) const
    {
        for (const Feed& feed : feeds) {
            if (feed.value < 0 || indexOf(feed.value) >= m_graph.values().size() || !feed.tensor.valid()) {
                throw Error(
                    ErrorCode::InvalidArgument, "a feed without a tensor or for no value of the graph");
            }
            const Value& value = m_graph.value(feed.value);
            if (!value.dimsKnown) {
                continue;
            }
            const std::vector<std::int64_t>& dims = feed.tensor.shape().dims();
            bool fits = dims.size() == value.dims.size();
            for (std::size_t i = 0; fits && i < dims.size(); ++i) {
                fits = value.dims[i] < 0 || value.dims[i] == dims[i];
            }
            if (!fits) {
                throw Error(ErrorCode::ShapeMismatch,
                    "value '" + value.name + "' was fed a tensor of shape " + feed.tensor.shape().text());
            }
        }
    }

    void checkFetches(std::span<const ValueId> fetches) const
    {
        for (const ValueId fetch : fetches) {
            if (fetch < 0 || indexOf(fetch) >= m_graph.values().size()) {
                throw Error(
                    ErrorCode::InvalidArgument, "value " + std::to_string(fetch) + " cannot be fetched");
            }
        }
    }

    const ExecutionPlan& planFor(
        std::span<const Feed> feeds, std::span<const ValueId> fetches, SiteObserver* observer)
    {
        PlanRequest request;
        for (const Feed& feed : feeds) {
            request.feeds.push_back(feed.value);
        }
        request.fetches.assign(fetches.begin(), fetches.end());
        for (std::size_t site = 0; site < m_model->sites.size(); ++site) {
            const bool wanted = observer != nullptr && m_model->sites[site].kind == SiteKind::Activation
                && observer->wants(static_cast<int>(site));
            request.observed.push_back(wanted ? 1 : 0);
            request.transformed.push_back(m_transforms[site] != nullptr ? 1 : 0);
        }
        const auto known = m_plans.find(request);
        if (known != m_plans.end()) {
            return known->second;
        }
        if (m_plans.size() >= kKeptPlans) {
            m_plans.clear();
        }
        ExecutionPlan plan = makePlan({*m_model, m_transforms}, request);
        return m_plans.emplace(std::move(request), std::move(plan)).first->second;
    }

    /// A constant, or what follows from constants alone: computed once per revision of the constants.
    Array staticValue(ValueId id, Frame& frame)
    {
        if (m_graph.value(id).isConstant()) {
            return m_constants.array(id);
        }
        if (m_foldedRevision != m_constants.revision()) {
            m_folded.clear();
            m_foldedRevision = m_constants.revision();
        }
        const auto known = m_folded.find(id);
        if (known != m_folded.end()) {
            return known->second;
        }
        const NodeId producer = m_graph.value(id).producer;
        if (producer == kNoNode) {
            throw Error(ErrorCode::Internal, "value '" + m_graph.value(id).name + "' has no producer");
        }
        const Node& node = m_graph.node(producer);
        std::vector<Array> inputs;
        for (const ValueId input : node.inputs) {
            inputs.push_back(input == kNoValue ? Array() : staticValue(input, frame));
        }
        const std::vector<Array> outputs = runNode(node, inputs, {}, frame);
        for (std::size_t i = 0; i < outputs.size() && i < node.outputs.size(); ++i) {
            m_folded[node.outputs[i]] = outputs[i];
        }
        return m_folded.at(id);
    }

    std::shared_ptr<const Model> m_model;
    const Graph& m_graph;
    BufferPool m_pool;
    ConstantStore m_constants;
    std::vector<std::shared_ptr<const RowTransform>> m_transforms; ///< per site
    std::map<PlanRequest, ExecutionPlan> m_plans;
    std::unordered_map<ValueId, Array> m_folded;
    std::uint64_t m_foldedRevision = 0;
    ExecutionProfile* m_profile = nullptr;
};

Executor::Executor(std::shared_ptr<const Model> model, const ExecutorOptions& options)
    : m_implementation(std::make_unique<Implementation>(std::move(model), options))
{
}

Executor::~Executor() = default;

void Executor::setSiteTransform(int site, std::shared_ptr<const RowTransform> transform)
{
    m_implementation->setSiteTransform(site, std::move(transform));
}

void Executor::setConstant(ValueId constant, Tensor replacement)
{
    m_implementation->setConstant(constant, replacement);
}

std::vector<Tensor> Executor::run(std::span<const Feed> feeds, std::span<const ValueId> fetches,
    SiteObserver* observer, const TaskContext& context)
{
    return m_implementation->run(feeds, fetches, observer, context);
}

void Executor::setProfile(ExecutionProfile* profile)
{
    m_implementation->setProfile(profile);
}

const Model& Executor::model() const
{
    return m_implementation->model();
}

std::size_t Executor::keptWeightBytes() const
{
    return m_implementation->constants().keptBytes();
}

bool Executor::packsInEveryRun() const
{
    return m_implementation->constants().isOverBudget();
}

std::size_t Executor::bufferBytes() const
{
    return m_implementation->pool().reservedBytes();
}

void Executor::releaseBuffers()
{
    m_implementation->pool().trim();
}

} // namespace qs
