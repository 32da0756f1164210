#include "core/runtime/step_fusion.h"

#include "core/runtime/attention_step.h"
#include "core/runtime/row_group_step.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string_view>

namespace qs {

namespace {

using Steps = std::vector<std::unique_ptr<Step>>;

/// How many steps read each slot; kept slots have one reader more, so that they are never seen as private.
std::vector<int> readersOf(const Steps& steps, std::span<const Slot> kept)
{
    std::vector<int> readers;
    const auto count = [&](Slot slot) {
        readers.resize(std::max(readers.size(), slot + 1), 0);
        ++readers[slot];
    };
    for (const auto& step : steps) {
        const std::vector<Slot> reads = step->reads();
        std::ranges::for_each(std::set<Slot>(reads.begin(), reads.end()), count);
    }
    std::ranges::for_each(kept, count);
    return readers;
}

/// Slots made by the parts and read by others.
std::vector<Slot> visibleOf(const Steps& parts, const std::vector<int>& readers)
{
    std::vector<Slot> visible;
    for (const auto& part : parts) {
        for (const Slot slot : part->writes()) {
            const auto inside = std::ranges::count_if(parts, [&](const auto& other) {
                const std::vector<Slot> reads = other->reads();
                return std::ranges::find(reads, slot) != reads.end();
            });
            if (slot < readers.size() && readers[slot] > inside) {
                visible.push_back(slot);
            }
        }
    }
    return visible;
}

Steps fuseRows(Steps steps, std::span<const Slot> kept)
{
    const std::vector<int> readers = readersOf(steps, kept);
    Steps fused;
    for (std::size_t i = 0; i < steps.size();) {
        if (!RowGroupStep::canStart(*steps[i])) {
            fused.push_back(std::move(steps[i++]));
            continue;
        }
        Steps parts;
        std::vector<Slot> made = steps[i]->writes();
        parts.push_back(std::move(steps[i++]));
        while (i < steps.size() && RowGroupStep::canJoin(*steps[i], made)) {
            const std::vector<Slot> writes = steps[i]->writes();
            made.insert(made.end(), writes.begin(), writes.end());
            parts.push_back(std::move(steps[i++]));
        }
        std::vector<Slot> visible = visibleOf(parts, readers);
        fused.push_back(std::make_unique<RowGroupStep>(std::move(parts), std::move(visible)));
    }
    return fused;
}

/// The step as a NodeStep of that operator, or null.
const NodeStep* nodeOf(const Steps& steps, std::size_t index, std::string_view op)
{
    const auto* node = index < steps.size() ? dynamic_cast<const NodeStep*>(steps[index].get()) : nullptr;
    return node != nullptr && node->node().op == op ? node : nullptr;
}

template<typename T>
std::unique_ptr<T> taken(std::unique_ptr<Step>& step)
{
    return std::unique_ptr<T>(static_cast<T*>(step.release()));
}

/// Where the parts of an attention lie in the list; kNone where there is none.
struct AttentionIndices
{
    static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
    std::size_t scores = kNone;
    std::size_t scale = kNone;
    std::size_t softmax = kNone;
    std::size_t observe = kNone;
    std::size_t transform = kNone;
    std::size_t context = kNone;
};

class AttentionFinder
{
public:
    AttentionFinder(const Steps& steps, std::span<const Slot> kept)
        : m_steps(steps)
        , m_readers(readersOf(steps, kept))
    {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            for (const Slot slot : steps[i] == nullptr ? std::vector<Slot>() : steps[i]->writes()) {
                m_maker[slot] = i;
            }
        }
    }

    /// The attention around the softmax at `index`, if its parts are there and nobody else reads the scores.
    std::optional<AttentionIndices> around(std::size_t index) const
    {
        const NodeStep* softmax = nodeOf(m_steps, index, "Softmax");
        if (softmax == nullptr) {
            return std::nullopt;
        }
        AttentionIndices found;
        found.softmax = index;
        Slot below = softmax->input(0);
        std::size_t maker = makerOf(below);
        const NodeStep* scale = nodeOf(m_steps, maker, "Mul");
        scale = scale != nullptr ? scale : nodeOf(m_steps, maker, "Div");
        if (scale != nullptr) {
            const bool second = scale->isConstant(1);
            if (!isPrivate(below) || (!second && (scale->node().op == "Div" || !scale->isConstant(0)))) {
                return std::nullopt;
            }
            found.scale = maker;
            below = scale->input(second ? 0 : 1);
            maker = makerOf(below);
        }
        if (nodeOf(m_steps, maker, "MatMul") == nullptr || !isPrivate(below)) {
            return std::nullopt;
        }
        found.scores = maker;
        return findReaders(softmax->output(), found) ? std::optional(found) : std::nullopt;
    }

    [[nodiscard]] AttentionStep::Probabilities visibility(const AttentionIndices& found) const
    {
        const Slot slot = m_steps[found.softmax]->writes().front();
        const int inside = 1 + (found.observe != AttentionIndices::kNone ? 1 : 0);
        return m_readers[slot] > inside ? AttentionStep::Probabilities::Visible
                                        : AttentionStep::Probabilities::Private;
    }

private:
    [[nodiscard]] std::size_t makerOf(Slot slot) const
    {
        const auto it = m_maker.find(slot);
        return it == m_maker.end() ? AttentionIndices::kNone : it->second;
    }

    [[nodiscard]] bool isPrivate(Slot slot) const { return m_readers[slot] == 1; }

    /// Observation, transform and second product behind the softmax.
    bool findReaders(Slot probabilities, AttentionIndices& found) const
    {
        Slot read = probabilities;
        for (std::size_t i = found.softmax + 1; i < m_steps.size(); ++i) {
            const Step* step = m_steps[i].get();
            const std::vector<Slot> reads = step->reads();
            const bool readsRaw = std::ranges::find(reads, probabilities) != reads.end();
            if (const auto* transform = dynamic_cast<const TransformStep*>(step);
                transform != nullptr && readsRaw) {
                if (found.transform != AttentionIndices::kNone || m_readers[transform->target()] != 1) {
                    return false;
                }
                found.transform = i;
                read = transform->target();
            } else if (dynamic_cast<const ObserveStep*>(step) != nullptr && readsRaw) {
                if (found.observe != AttentionIndices::kNone || found.transform != AttentionIndices::kNone) {
                    return false;
                }
                found.observe = i;
            } else if (std::ranges::find(reads, read) != reads.end()) {
                const NodeStep* context = nodeOf(m_steps, i, "MatMul");
                if (context == nullptr || context->input(0) != read || context->input(1) == read
                    || context->isConstant(1)) {
                    return false;
                }
                found.context = i;
                return noneBetweenReads(probabilities, found);
            }
        }
        return false;
    }

    /// The fused step stands where the second product stood: nothing before that may need the probabilities.
    [[nodiscard]] bool noneBetweenReads(Slot probabilities, const AttentionIndices& found) const
    {
        for (std::size_t i = found.softmax + 1; i < found.context; ++i) {
            const std::vector<Slot> reads = m_steps[i]->reads();
            if (i != found.observe && i != found.transform
                && std::ranges::find(reads, probabilities) != reads.end()) {
                return false;
            }
        }
        return true;
    }

    const Steps& m_steps;
    std::vector<int> m_readers;
    std::map<Slot, std::size_t> m_maker;
};

Steps fuseAttention(Steps steps, std::span<const Slot> kept)
{
    const AttentionFinder finder(steps, kept);
    std::vector<std::pair<AttentionIndices, AttentionStep::Probabilities>> all;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (const auto found = finder.around(i)) {
            all.emplace_back(*found, finder.visibility(*found));
        }
    }
    for (const auto& [found, visibility] : all) {
        constexpr std::size_t kNone = AttentionIndices::kNone;
        AttentionParts parts;
        parts.scores = taken<NodeStep>(steps[found.scores]);
        parts.scale = found.scale == kNone ? nullptr : taken<NodeStep>(steps[found.scale]);
        parts.softmax = taken<NodeStep>(steps[found.softmax]);
        parts.observe = found.observe == kNone ? nullptr : taken<ObserveStep>(steps[found.observe]);
        parts.transform = found.transform == kNone ? nullptr : taken<TransformStep>(steps[found.transform]);
        parts.context = taken<NodeStep>(steps[found.context]);
        steps[found.context] = std::make_unique<AttentionStep>(std::move(parts), visibility);
    }
    std::erase(steps, nullptr);
    return steps;
}

} // namespace

Steps fuseSteps(Steps steps, std::span<const Slot> kept)
{
    return fuseRows(fuseAttention(std::move(steps), kept), kept);
}

} // namespace qs
