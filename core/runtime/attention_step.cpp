#include "core/runtime/attention_step.h"

#include "core/base/parallel.h"
#include "core/runtime/panel_product.h"
#include "core/runtime/row_blocks.h"
#include "core/runtime/row_functions.h"
#include "core/runtime/step_clock.h"
#include "core/runtime/thread_scratch.h"

#include <algorithm>
#include <array>

namespace qs {

namespace {

/// A [rows, columns] matrix of one head somewhere in a larger value.
struct HeadMatrix
{
    const float* data;
    std::int64_t rows;
    std::int64_t columns;
    std::int64_t rowStride;
    std::int64_t columnStride;
};

HeadMatrix headOf(const Array& array, std::int64_t item)
{
    const std::int64_t batch = item / array.dims[1];
    const std::int64_t head = item % array.dims[1];
    return {array.f32() + batch * array.strides[0] + head * array.strides[1], array.dims[2], array.dims[3],
        array.strides[2], array.strides[3]};
}

HeadMatrix rowsOf(const HeadMatrix& m, std::int64_t first, std::int64_t last)
{
    return {m.data + first * m.rowStride, last - first, m.columns, m.rowStride, m.columnStride};
}

/// Rows as the left-hand side of a product: read where they are when their columns are adjacent.
LeftRows leftRows(const HeadMatrix& m, float* buffer)
{
    if (m.columnStride == 1) {
        return {m.data, m.rows, m.rowStride};
    }
    for (std::int64_t row = 0; row < m.rows; ++row) {
        for (std::int64_t column = 0; column < m.columns; ++column) {
            buffer[row * m.columns + column] = m.data[row * m.rowStride + column * m.columnStride];
        }
    }
    return {buffer, m.rows, m.columns};
}

void pack(const HeadMatrix& m, float* packed)
{
    packPanels(m.data, m.rows, m.columns, m.rowStride, m.columnStride, packed);
}

/// What a StepClock of an attention tells apart.
enum ClockPart : std::size_t { kScores, kScale, kSoftmax, kTransform, kContext, kClockParts };

} // namespace

/// What one run works on. All values are [B, H, rows, columns].
struct AttentionStep::Operands
{
    Array query; ///< [B, H, T, d]
    Array key; ///< transposed: [B, H, d, S]
    Array value; ///< [B, H, S, e]
    float factor = 1.0F;

    [[nodiscard]] std::int64_t items() const { return query.dims[0] * query.dims[1]; }
    [[nodiscard]] std::int64_t rows() const { return query.dims[2]; }
    [[nodiscard]] std::int64_t width() const { return query.dims[3]; }
    [[nodiscard]] std::int64_t keys() const { return key.dims[3]; }
    [[nodiscard]] std::int64_t outputs() const { return value.dims[3]; }
};

AttentionStep::AttentionStep(AttentionParts parts, Probabilities probabilities)
    : m_parts(std::move(parts))
    , m_probabilities(probabilities)
{
}

std::optional<AttentionStep::Operands> AttentionStep::operandsOf(const Frame& frame) const
{
    Operands o;
    o.query = frame.slots[m_parts.scores->input(0)];
    o.key = frame.slots[m_parts.scores->input(1)];
    o.value = frame.slots[m_parts.context->input(1)];
    for (const Array* array : {&o.query, &o.key, &o.value}) {
        if (array->rank() != 4 || array->dtype != DType::F32 || array->count() == 0
            || array->dims[0] != o.query.dims[0] || array->dims[1] != o.query.dims[1]) {
            return std::nullopt;
        }
    }
    const std::int64_t axis = m_parts.softmax->node().intAttribute("axis", -1);
    if (o.key.dims[2] != o.width() || o.value.dims[2] != o.keys() || (axis != -1 && axis != 3)) {
        return std::nullopt;
    }
    if (m_parts.scale != nullptr) {
        const std::size_t constant = m_parts.scale->isConstant(1) ? 1 : 0;
        const Array& factor = frame.slots[m_parts.scale->input(constant)];
        if (factor.dtype != DType::F32 || factor.count() != 1 || factor.rank() > 4) {
            return std::nullopt;
        }
        o.factor = *factor.f32();
    }
    return o;
}

void AttentionStep::run(Frame& frame) const
{
    const std::optional<Operands> operands = operandsOf(frame);
    if (operands) {
        runFused(frame, *operands);
    } else {
        runOneByOne(frame);
    }
}

/// The work on single heads of one run. Heads are numbered batch by batch.
class AttentionStep::Heads
{
public:
    Heads(const AttentionParts& parts, const Operands& operands, Frame& frame, StepClock& clock)
        : m_parts(parts)
        , m_o(operands)
        , m_clock(clock)
        , m_frame(frame)
        , m_blocks({1, m_o.rows(), m_o.width()})
        , m_divides(parts.scale != nullptr && parts.scale->node().op == "Div")
    {
        const std::int64_t items = m_o.items();
        m_keyFloats = packedPanelFloats(m_o.width(), m_o.keys());
        m_valueFloats = packedPanelFloats(m_o.keys(), m_o.outputs());
        m_keys = Array::make(frame.pool, DType::F32, {items, m_keyFloats});
        m_values = Array::make(frame.pool, DType::F32, {items, m_valueFloats});
        // Heads side by side, so that the Transpose and Reshape which follow move nothing.
        const Dims dims {m_o.query.dims[0], m_o.rows(), m_o.query.dims[1], m_o.outputs()};
        m_context = permuted(Array::make(frame.pool, DType::F32, dims), {0, 2, 1, 3});
        parallelFor(items, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t item = begin; item < end; ++item) {
                pack(headOf(m_o.key, item), m_keys.f32() + item * m_keyFloats);
                pack(headOf(m_o.value, item), m_values.f32() + item * m_valueFloats);
            }
        });
    }

    /// One block of rows of one head, with memory to work in.
    struct Block
    {
        std::int64_t item;
        std::int64_t first;
        std::int64_t count;
        float* scratch; ///< [count, width]
        float* scores; ///< [count, keys]
    };

    /// Calls body(Block) for all blocks of all heads, in parallel.
    template<typename Body>
    void forEachBlock(const Body& body) const
    {
        const std::int64_t room = (m_blocks.maxRows() * m_o.width() + 15) / 16 * 16;
        parallelFor(m_o.items() * m_blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
            float* scratch = threadScratch(room + m_blocks.maxRows() * m_o.keys());
            for (std::int64_t index = begin; index < end; ++index) {
                m_frame.context.throwIfCancelled();
                const std::int64_t first = m_blocks.begin(index % m_blocks.count());
                const std::int64_t count = m_blocks.end(index % m_blocks.count()) - first;
                if (count > 0) {
                    body(Block {index / m_blocks.count(), first, count, scratch, scratch + room});
                }
            }
        });
    }

    /// softmax(scale * query * key) of the block's rows, [count, keys].
    void probabilities(const Block& block, float* out) const
    {
        const RowFunctions& functions = rowFunctions();
        const std::int64_t keys = m_o.keys();
        const HeadMatrix query
            = rowsOf(headOf(m_o.query, block.item), block.first, block.first + block.count);
        m_clock.measure(kScores, [&] {
            multiplyPanels(leftRows(query, block.scratch), m_keys.f32() + block.item * m_keyFloats,
                m_o.width(), keys, nullptr, out, keys);
        });
        if (m_parts.scale != nullptr) {
            m_clock.measure(kScale, [&] {
                (m_divides ? functions.divide : functions.scale)(out, m_o.factor, out, block.count * keys);
            });
        }
        m_clock.measure(kSoftmax, [&] {
            for (std::int64_t row = 0; row < block.count; ++row) {
                functions.softmax(out + row * keys, out + row * keys, keys);
            }
        });
    }

    /// What the second product reads instead of the raw probabilities p; may be p itself.
    void transform(const Block& block, const float* p, float* out) const
    {
        const std::int64_t keys = m_o.keys();
        m_clock.measure(kTransform, [&] {
            for (std::int64_t row = 0; row < block.count; ++row) {
                m_parts.transform->transform().transformRow(block.item % m_o.query.dims[1],
                    {p + row * keys, static_cast<std::size_t>(keys)}, out + row * keys);
            }
        });
    }

    /// Rows of the result: p [count, keys] times the head's values.
    void context(const Block& block, const float* p) const
    {
        m_clock.measure(kContext, [&] { contextRows(block, p); });
    }

    [[nodiscard]] const Array& result() const { return m_context; }

    /// To the step's clock, with what each part computed.
    void finish() const
    {
        if (!m_clock.isActive()) {
            return;
        }
        const auto rows = static_cast<double>(m_o.items() * m_o.rows() * m_o.keys());
        std::array<StepClock::Part, kClockParts> parts;
        parts[kScores] = {&m_parts.scores->node(), 2.0 * rows * static_cast<double>(m_o.width())};
        parts[kScale] = {m_parts.scale == nullptr ? &m_parts.scores->node() : &m_parts.scale->node(), 0.0};
        parts[kSoftmax] = {&m_parts.softmax->node(), 0.0};
        parts[kContext] = {&m_parts.context->node(), 2.0 * rows * static_cast<double>(m_o.outputs())};
        m_clock.finish(parts);
    }

private:
    void contextRows(const Block& block, const float* p) const
    {
        float* target = m_context.f32() + block.item / m_o.query.dims[1] * m_context.strides[0]
            + block.item % m_o.query.dims[1] * m_context.strides[1] + block.first * m_context.strides[2];
        multiplyPanels({p, block.count, m_o.keys()}, m_values.f32() + block.item * m_valueFloats, m_o.keys(),
            m_o.outputs(), nullptr, target, m_context.strides[2]);
    }

    const AttentionParts& m_parts;
    const Operands& m_o;
    StepClock& m_clock;
    Frame& m_frame;
    RowBlocks m_blocks;
    bool m_divides;
    std::int64_t m_keyFloats = 0;
    std::int64_t m_valueFloats = 0;
    Array m_keys; ///< packed, per item
    Array m_values; ///< packed, per item
    Array m_context;
};

void AttentionStep::runFused(Frame& frame, const Operands& operands) const
{
    StepClock clock(frame.profile, kClockParts);
    const Heads heads(m_parts, operands, frame, clock);
    using Block = Heads::Block;
    if (m_probabilities == Probabilities::Private && m_parts.observe == nullptr) {
        heads.forEachBlock([&](const Block& block) {
            heads.probabilities(block, block.scores);
            if (m_parts.transform != nullptr) {
                heads.transform(block, block.scores, block.scores);
            }
            heads.context(block, block.scores);
        });
        frame.slots[m_parts.context->output()] = heads.result();
        heads.finish();
        return;
    }
    const Slot slot = m_parts.softmax->output();
    const Dims dims {operands.query.dims[0], operands.query.dims[1], operands.rows(), operands.keys()};
    const Array all = Array::make(frame.pool, DType::F32, dims);
    const auto placeOf = [&](const Block& block) {
        return all.f32() + (block.item * operands.rows() + block.first) * operands.keys();
    };
    heads.forEachBlock([&](const Block& block) { heads.probabilities(block, placeOf(block)); });
    frame.slots[slot] = all;
    if (m_parts.observe != nullptr) {
        clock.pause();
        m_parts.observe->run(frame);
        clock.resume();
    }
    heads.forEachBlock([&](const Block& block) {
        const float* p = placeOf(block);
        if (m_parts.transform != nullptr) {
            heads.transform(block, p, block.scores);
            p = block.scores;
        }
        heads.context(block, p);
    });
    if (m_probabilities == Probabilities::Private) {
        frame.slots[slot] = Array();
    }
    frame.slots[m_parts.context->output()] = heads.result();
    heads.finish();
}

void AttentionStep::runOneByOne(Frame& frame) const
{
    m_parts.scores->run(frame);
    if (m_parts.scale != nullptr) {
        m_parts.scale->run(frame);
        frame.slots[m_parts.scores->output()] = Array();
    }
    m_parts.softmax->run(frame);
    frame.slots[m_parts.softmax->input(0)] = Array();
    if (m_parts.observe != nullptr) {
        m_parts.observe->run(frame);
    }
    if (m_parts.transform != nullptr) {
        m_parts.transform->run(frame);
    }
    m_parts.context->run(frame);
    if (m_parts.transform != nullptr) {
        frame.slots[m_parts.transform->target()] = Array();
    }
    if (m_probabilities == Probabilities::Private) {
        frame.slots[m_parts.softmax->output()] = Array();
    }
}

std::vector<Slot> AttentionStep::reads() const
{
    std::vector<Slot> slots {m_parts.scores->input(0), m_parts.scores->input(1), m_parts.context->input(1)};
    if (m_parts.scale != nullptr) {
        slots.push_back(m_parts.scale->input(m_parts.scale->isConstant(1) ? 1 : 0));
    }
    return slots;
}

std::vector<Slot> AttentionStep::writes() const
{
    std::vector<Slot> slots {m_parts.context->output()};
    if (m_probabilities == Probabilities::Visible) {
        slots.push_back(m_parts.softmax->output());
    }
    return slots;
}

std::string AttentionStep::name() const
{
    return "attention " + m_parts.softmax->node().name;
}

} // namespace qs
