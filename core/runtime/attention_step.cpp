#include "core/runtime/attention_step.h"

#include "core/base/parallel.h"
#include "core/runtime/matmul.h"
#include "core/runtime/row_blocks.h"
#include "core/runtime/row_functions.h"
#include "core/runtime/step_clock.h"
#include "core/runtime/thread_scratch.h"

#include <algorithm>
#include <array>
#include <cstring>

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

/// Row-major and dense; the matrix itself when it already is.
const float* dense(const HeadMatrix& m, float* buffer)
{
    if (m.columnStride == 1 && m.rowStride == m.columns) {
        return m.data;
    }
    if (m.columnStride != 1) {
        for (std::int64_t row = 0; row < m.rows; ++row) {
            for (std::int64_t column = 0; column < m.columns; ++column) {
                buffer[row * m.columns + column] = m.data[row * m.rowStride + column * m.columnStride];
            }
        }
        return buffer;
    }
    for (std::int64_t row = 0; row < m.rows; ++row) {
        std::memcpy(buffer + row * m.columns, m.data + row * m.rowStride,
            static_cast<std::size_t>(m.columns) * sizeof(float));
    }
    return buffer;
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
        , m_keyLayout(
              m_o.key.strides[3] != 1 && m_o.key.strides[2] == 1 ? RightHand::Transposed : RightHand::Plain)
        , m_key(m_keyLayout == RightHand::Transposed ? permuted(m_o.key, {0, 1, 3, 2}) : m_o.key)
        , m_blocks({1, m_o.rows(), m_o.width()})
        , m_divides(parts.scale != nullptr && parts.scale->node().op == "Div")
    {
        const std::int64_t items = m_o.items();
        m_denseKeys = Array::make(frame.pool, DType::F32, {items, m_o.width(), m_o.keys()});
        m_denseValues = Array::make(frame.pool, DType::F32, {items, m_o.keys(), m_o.outputs()});
        // Heads side by side, so that the Transpose and Reshape which follow move nothing.
        const Dims dims {m_o.query.dims[0], m_o.rows(), m_o.query.dims[1], m_o.outputs()};
        m_context = permuted(Array::make(frame.pool, DType::F32, dims), {0, 2, 1, 3});
        m_keysOf.resize(static_cast<std::size_t>(items));
        m_valuesOf.resize(static_cast<std::size_t>(items));
        parallelFor(items, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t item = begin; item < end; ++item) {
                const auto at = static_cast<std::size_t>(item);
                m_keysOf[at]
                    = dense(headOf(m_key, item), m_denseKeys.f32() + item * m_o.width() * m_o.keys());
                m_valuesOf[at]
                    = dense(headOf(m_o.value, item), m_denseValues.f32() + item * m_o.keys() * m_o.outputs());
            }
        });
    }

    /// One block of rows of one head, with memory to work in.
    struct Block
    {
        std::int64_t item;
        std::int64_t first;
        std::int64_t count;
        float* scratch; ///< [count, max(width, outputs)]
        float* scores; ///< [count, keys]
    };

    /// Calls body(Block) for all blocks of all heads, in parallel.
    template<typename Body>
    void forEachBlock(const Body& body) const
    {
        const std::int64_t room = (m_blocks.maxRows() * std::max(m_o.width(), m_o.outputs()) + 15) / 16 * 16;
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
            multiply(dense(query, block.scratch), m_keysOf[static_cast<std::size_t>(block.item)], out,
                block.count, m_o.width(), keys, m_keyLayout);
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
        const std::int64_t outputs = m_o.outputs();
        multiply(p, m_valuesOf[static_cast<std::size_t>(block.item)], block.scratch, block.count, m_o.keys(),
            outputs);
        float* target = m_context.f32() + block.item / m_o.query.dims[1] * m_context.strides[0]
            + block.item % m_o.query.dims[1] * m_context.strides[1] + block.first * m_context.strides[2];
        for (std::int64_t row = 0; row < block.count; ++row) {
            std::memcpy(target + row * m_context.strides[2], block.scratch + row * outputs,
                static_cast<std::size_t>(outputs) * sizeof(float));
        }
    }

    const AttentionParts& m_parts;
    const Operands& m_o;
    StepClock& m_clock;
    Frame& m_frame;
    RightHand m_keyLayout;
    Array m_key;
    RowBlocks m_blocks;
    bool m_divides;
    Array m_denseKeys;
    Array m_denseValues;
    Array m_context;
    std::vector<const float*> m_keysOf; ///< per item, dense
    std::vector<const float*> m_valuesOf;
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
