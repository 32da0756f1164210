#pragma once

#include "core/base/task_context.h"
#include "core/models/model.h"
#include "core/runtime/row_transform.h"
#include "core/tensor/activation_view.h"

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace qs {

struct ExecutionProfile;

/// Sees the raw (not yet transformed) activations of chosen sites while the graph runs.
class SiteObserver
{
public:
    virtual ~SiteObserver() = default;
    [[nodiscard]] virtual bool wants(int site) const = 0; ///< index into Model::sites
    /// On the thread that called run(), outside any parallel region. The view is valid during the call only.
    virtual void observe(int site, const ActivationView& view) = 0;
};

/// A value supplied instead of being computed: a graph input, or any inner value (execution then starts
/// behind it).
struct Feed
{
    ValueId value = kNoValue;
    Tensor tensor; ///< of any floating-point type (read as F32), or of the value's integer type
};

struct ExecutorOptions
{
    /// Bytes that packed weights may take between runs; those beyond are packed again in every run, from the
    /// mapped file where the model is one. Without a value a quarter of the machine's memory.
    std::optional<std::size_t> weightBudget;
};

/// Runs a model's graph on batches. Keeps compiled steps, packed weights and buffers between calls, so keep
/// one per thread of work; a single executor must not run twice at once. Results are the same bits for any
/// thread count.
class Executor
{
public:
    /// Throws Error(Unsupported) naming the first operator and node it cannot run, before any work.
    explicit Executor(std::shared_ptr<const Model> model, const ExecutorOptions& options = {});
    ~Executor();
    Executor(const Executor&) = delete;
    Executor& operator=(const Executor&) = delete;

    /// Applies `transform` to what the readers of this activation site see; null removes it.
    void setSiteTransform(int site, std::shared_ptr<const RowTransform> transform);
    /// Replaces a constant (a weight by its fake-quantized copy, of the same shape, F32); an invalid tensor
    /// restores it.
    void setConstant(ValueId constant, Tensor replacement);

    /// Computes the fetched values from the feeds, running only the nodes they need. Any value may be
    /// fetched; those not fetched may be fused away. Free dimensions are taken from the feeds. Floating-point
    /// results are F32, whatever the graph says of their type. Throws Error:
    /// ShapeMismatch, InvalidArgument (a needed input is not fed), Cancelled (within 100 ms).
    [[nodiscard]] std::vector<Tensor> run(std::span<const Feed> feeds, std::span<const ValueId> fetches,
        SiteObserver* observer = nullptr, const TaskContext& context = {});

    /// From now on, runs add what they spend to the profile, which is made for this model's graph and stays
    /// the caller's; null ends that.
    void setProfile(ExecutionProfile* profile);

    [[nodiscard]] const Model& model() const;
    /// Bytes of packed weights kept between runs: at most the budget.
    [[nodiscard]] std::size_t keptWeightBytes() const;
    /// True once a run has packed weights that it could not keep: every run does so again, so that few large
    /// batches are faster than many small ones.
    [[nodiscard]] bool packsInEveryRun() const;
    /// Memory that values and scratch take, in use or kept for the next run.
    [[nodiscard]] std::size_t bufferBytes() const;
    /// Gives the buffers that are kept for the next run back to the system.
    void releaseBuffers();

private:
    class Implementation;
    std::unique_ptr<Implementation> m_implementation;
};

} // namespace qs
