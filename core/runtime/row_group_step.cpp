#include "core/runtime/row_group_step.h"

#include "core/base/parallel.h"
#include "core/runtime/row_functions.h"
#include "core/runtime/row_program.h"
#include "core/runtime/site_view.h"
#include "core/tensor/weight_values.h"

#include <algorithm>
#include <map>
#include <optional>

namespace qs {

namespace {

using Kind = RowOperation::Kind;
using MapFunction = void (*)(const float*, float*, std::int64_t);

bool contains(const std::vector<Slot>& slots, Slot slot)
{
    return std::ranges::find(slots, slot) != slots.end();
}

/// The vectorised function of an elementwise operator; null for others.
MapFunction mapOf(const Node& node)
{
    const RowFunctions& f = rowFunctions();
    if (node.op == "Gelu") {
        return node.stringAttribute("approximate", "none") == "tanh" ? f.geluTanh : f.gelu;
    }
    if (node.op == "Relu") {
        return f.relu;
    }
    if (node.op == "Tanh") {
        return f.tanh;
    }
    if (node.op == "Swish" && node.floatAttribute("alpha", 1.0) == 1.0) {
        return f.swish;
    }
    return node.op == "Erf" ? f.erf : (node.op == "Sigmoid" ? f.sigmoid : nullptr);
}

bool isMatrixProduct(const NodeStep& step)
{
    const bool hasBias = step.node().inputs.size() > 2 && step.input(2) != kNoSlot;
    return (step.node().op == "Linear" || step.node().op == "MatMul") && step.isConstant(1)
        && (!hasBias || step.isConstant(2));
}

bool isNorm(const NodeStep& step)
{
    const bool hasBeta = step.node().inputs.size() > 2 && step.input(2) != kNoSlot;
    const bool isKnown = step.node().op == "LayerNormalization" || step.node().op == "RMSNormalization";
    return isKnown && step.isConstant(1) && (!hasBeta || step.isConstant(2));
}

bool isSumOrProduct(const Node& node)
{
    return node.op == "Add" || node.op == "Mul";
}

/// Turns the steps into a program for the arrays of one run; every method returns false where the rows do not
/// fit.
class ProgramMaker
{
public:
    ProgramMaker(
        Frame& frame, const std::vector<std::unique_ptr<Step>>& parts, const std::vector<Slot>& visible)
        : m_frame(frame)
        , m_parts(parts)
        , m_visible(visible)
    {
        for (std::size_t i = 0; i < parts.size(); ++i) {
            for (const Slot slot : parts[i]->reads()) {
                m_lastUse[slot] = i;
            }
        }
    }

    std::optional<RowProgram> make()
    {
        const Array& start = m_frame.slots[m_parts.front()->reads().front()];
        if (start.rank() < 2 || start.count() == 0) {
            return std::nullopt;
        }
        m_prefix.assign(start.dims.begin(), start.dims.end() - 1);
        m_program.emplace(RowProgram {RowBlocks(start.dims), {}, 0, 0, {}});
        for (m_index = 0; m_index < m_parts.size(); ++m_index) {
            const auto* node = dynamic_cast<const NodeStep*>(m_parts[m_index].get());
            if (node != nullptr ? !addNode(*node)
                                : !addTransform(static_cast<const TransformStep&>(*m_parts[m_index]))) {
                return std::nullopt;
            }
        }
        m_program->registers = static_cast<std::int64_t>(m_isFree.size());
        m_program->registerSize = (m_program->blocks.maxRows() * m_widest + 15) / 16 * 16;
        for (const Array& array : m_outputs) {
            m_program->held.push_back(array);
        }
        return std::move(m_program);
    }

    /// Puts the visible results into the frame.
    void publish()
    {
        for (std::size_t i = 0; i < m_outputs.size(); ++i) {
            m_frame.slots[m_outputSlots[i]] = m_outputs[i];
        }
    }

private:
    bool addNode(const NodeStep& step)
    {
        RowOperation operation;
        operation.node = &step.node();
        if (isSumOrProduct(step.node())) {
            return addBinary(step, operation);
        }
        if (!place(step.input(0), operation.in)) {
            return false;
        }
        std::int64_t width = operation.in.width;
        if (isMatrixProduct(step)) {
            if (!setMatrix(step, operation)) {
                return false;
            }
            width = operation.matrix->columns();
        } else if (isNorm(step)) {
            if (!setNorm(step, operation)) {
                return false;
            }
        } else {
            operation.kind = Kind::Map;
            operation.map = mapOf(step.node());
        }
        finish(operation, step.output(), width);
        return true;
    }

    bool addTransform(const TransformStep& step)
    {
        RowOperation operation;
        operation.kind = Kind::Transform;
        operation.transform = &step.transform();
        if (!place(step.source(), operation.in)) {
            return false;
        }
        finish(operation, step.target(), operation.in.width);
        return true;
    }

    bool addBinary(const NodeStep& step, RowOperation& operation)
    {
        const bool isSum = step.node().op == "Add";
        const std::size_t rowInput
            = m_places.contains(step.input(0)) ? 0 : 1; // the other one may come from outside
        const Slot other = step.input(1 - rowInput);
        if (!place(step.input(rowInput), operation.in)) {
            return false;
        }
        if (step.isConstant(1 - rowInput)) {
            operation.kind = isSum ? Kind::AddVector : Kind::MulVector;
            operation.first = vectorOf(m_frame.slots[other], operation.in.width);
            if (operation.first == nullptr) {
                return false;
            }
        } else {
            operation.kind = isSum ? Kind::AddRows : Kind::MulRows;
            if (!place(other, operation.other) || operation.other.width != operation.in.width) {
                return false;
            }
        }
        finish(operation, step.output(), operation.in.width);
        return true;
    }

    bool setMatrix(const NodeStep& step, RowOperation& operation)
    {
        Array weight = m_frame.slots[step.input(1)];
        if (weight.rank() != 2 || !isWeightType(weight.dtype)) {
            return false;
        }
        if (step.node().op == "Linear" && step.node().intAttribute("transB", 0) != 0) {
            weight = permuted(weight, {1, 0});
        }
        if (weight.dims[0] != operation.in.width) {
            return false;
        }
        operation.kind = Kind::Linear;
        operation.matrix = m_frame.constants.packed(step.node().inputs[1], weight);
        if (step.input(2) != kNoSlot) {
            operation.first = vectorOf(m_frame.slots[step.input(2)], weight.dims[1]);
            return operation.first != nullptr;
        }
        return true;
    }

    bool setNorm(const NodeStep& step, RowOperation& operation)
    {
        const std::int64_t axis = step.node().intAttribute("axis", -1);
        if (axis != -1 && axis != static_cast<std::int64_t>(m_prefix.size())) {
            return false;
        }
        operation.kind = step.node().op == "RMSNormalization" ? Kind::RmsNorm : Kind::Norm;
        operation.epsilon = static_cast<float>(step.node().floatAttribute("epsilon", 1e-5));
        operation.first = vectorOf(m_frame.slots[step.input(1)], operation.in.width);
        if (step.input(2) != kNoSlot) {
            operation.second = vectorOf(m_frame.slots[step.input(2)], operation.in.width);
        }
        return operation.first != nullptr && (step.input(2) == kNoSlot || operation.second != nullptr);
    }

    /// A constant that is the same for every row: `width` floats, or one repeated. Null otherwise.
    const float* vectorOf(const Array& constant, std::int64_t width)
    {
        const bool isRow = constant.rank() > 0 && constant.rank() <= m_prefix.size() + 1
            && constant.dims.back() == width && constant.count() == width;
        const bool isScalar = constant.count() == 1 && constant.rank() <= m_prefix.size() + 1;
        if (constant.dtype != DType::F32 || (!isRow && !isScalar)) {
            return nullptr;
        }
        Array row = contiguous(constant, m_frame.pool);
        if (!isRow) {
            row = Array::make(m_frame.pool, DType::F32, {width});
            std::fill_n(row.f32(), width, *constant.f32());
        }
        m_program->held.push_back(row);
        return row.f32();
    }

    /// Where the rows of a slot lie: made inside the chain, or given from outside with the chain's row
    /// dimensions.
    bool place(Slot slot, RowPlace& result)
    {
        const auto inside = m_places.find(slot);
        if (inside != m_places.end()) {
            result = inside->second;
            return true;
        }
        const Array& given = m_frame.slots[slot];
        if (given.dtype != DType::F32 || given.rank() != m_prefix.size() + 1
            || !std::equal(m_prefix.begin(), m_prefix.end(), given.dims.begin())) {
            return false;
        }
        const Array dense = contiguous(given, m_frame.pool);
        m_program->held.push_back(dense);
        result = {dense.f32(), -1, dense.dims.back()};
        m_places[slot] = result;
        return true;
    }

    /// Chooses the place of the operation's result and adds it. Elementwise results may overwrite a dying
    /// operand.
    void finish(RowOperation& operation, Slot output, std::int64_t width)
    {
        const bool overwrites = operation.kind != Kind::Linear;
        if (overwrites) {
            freeDying();
        }
        operation.out.width = width;
        if (contains(m_visible, output)) {
            Dims dims = m_prefix;
            dims.push_back(width);
            m_outputs.push_back(Array::make(m_frame.pool, DType::F32, dims));
            m_outputSlots.push_back(output);
            operation.out.all = m_outputs.back().f32();
        } else {
            const auto free = std::ranges::find(m_isFree, true);
            operation.out.reg = static_cast<int>(free - m_isFree.begin());
            if (free == m_isFree.end()) {
                m_isFree.push_back(false);
            } else {
                *free = false;
            }
            m_widest = std::max(m_widest, width);
        }
        if (!overwrites) {
            freeDying();
        }
        m_places[output] = operation.out;
        m_program->operations.push_back(std::move(operation));
    }

    void freeDying()
    {
        for (const Slot slot : m_parts[m_index]->reads()) {
            const auto it = m_places.find(slot);
            if (it != m_places.end() && it->second.reg >= 0 && m_lastUse[slot] == m_index) {
                m_isFree[static_cast<std::size_t>(it->second.reg)] = true;
            }
        }
    }

    Frame& m_frame;
    const std::vector<std::unique_ptr<Step>>& m_parts;
    const std::vector<Slot>& m_visible;
    std::map<Slot, std::size_t> m_lastUse;
    std::map<Slot, RowPlace> m_places;
    std::vector<bool> m_isFree; ///< per register
    std::vector<Array> m_outputs;
    std::vector<Slot> m_outputSlots;
    Dims m_prefix;
    std::int64_t m_widest = 0;
    std::size_t m_index = 0;
    std::optional<RowProgram> m_program;
};

} // namespace

RowGroupStep::RowGroupStep(std::vector<std::unique_ptr<Step>> parts, std::vector<Slot> visible)
    : m_parts(std::move(parts))
    , m_visible(std::move(visible))
{
}

void RowGroupStep::run(Frame& frame) const
{
    ProgramMaker maker(frame, m_parts, m_visible);
    const std::optional<RowProgram> program = maker.make();
    if (!program) {
        runOneByOne(frame);
        return;
    }
    StepClock clock(frame.profile, program->operations.size());
    parallelFor(program->blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block) {
            frame.context.throwIfCancelled();
            program->runBlock(block, clock);
        }
    });
    maker.publish();
    if (clock.isActive()) {
        clock.finish(program->parts());
    }
}

void RowGroupStep::runOneByOne(Frame& frame) const
{
    for (const auto& part : m_parts) {
        part->run(frame);
    }
    for (const auto& part : m_parts) {
        for (const Slot slot : part->writes()) {
            if (!contains(m_visible, slot)) {
                frame.slots[slot] = Array();
            }
        }
    }
}

std::vector<Slot> RowGroupStep::reads() const
{
    std::vector<Slot> made;
    std::vector<Slot> slots;
    for (const auto& part : m_parts) {
        for (const Slot slot : part->reads()) {
            if (!contains(made, slot)) {
                slots.push_back(slot);
            }
        }
        const std::vector<Slot> writes = part->writes();
        made.insert(made.end(), writes.begin(), writes.end());
    }
    return slots;
}

std::string RowGroupStep::name() const
{
    return "rows of " + m_parts.front()->name() + " to " + m_parts.back()->name();
}

bool RowGroupStep::canStart(const Step& step)
{
    const auto* node = dynamic_cast<const NodeStep*>(&step);
    if (node == nullptr) {
        const auto* transform = dynamic_cast<const TransformStep*>(&step);
        return transform != nullptr && transform->isRowWise();
    }
    return !node->isConstant(0) && node->node().outputs.size() == 1
        && (isMatrixProduct(*node) || isNorm(*node) || mapOf(node->node()) != nullptr);
}

bool RowGroupStep::canJoin(const Step& step, const std::vector<Slot>& made)
{
    const auto* node = dynamic_cast<const NodeStep*>(&step);
    if (node != nullptr && isSumOrProduct(node->node())) {
        return contains(made, node->input(0)) || contains(made, node->input(1));
    }
    return canStart(step) && contains(made, step.reads().front());
}

} // namespace qs
