#include "core/runtime/attention_step.h"

#include "core/base/parallel.h"
#include "core/runtime/matmul.h"
#include "core/runtime/row_blocks.h"
#include "core/runtime/row_functions.h"

#include <algorithm>
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

/// Transposes 16 x 16 tiles at a time, so that both sides stay in the nearest cache.
void copyTransposed(const HeadMatrix& m, float* out)
{
    constexpr std::int64_t kTile = 16;
    for (std::int64_t top = 0; top < m.rows; top += kTile) {
        for (std::int64_t left = 0; left < m.columns; left += kTile) {
            const std::int64_t bottom = std::min(top + kTile, m.rows);
            const std::int64_t right = std::min(left + kTile, m.columns);
            for (std::int64_t row = top; row < bottom; ++row) {
                for (std::int64_t column = left; column < right; ++column) {
                    out[row * m.columns + column] = m.data[row * m.rowStride + column * m.columnStride];
                }
            }
        }
    }
}

/// Row-major and dense; the matrix itself when it already is.
const float* dense(const HeadMatrix& m, float* buffer)
{
    if (m.columnStride == 1 && m.rowStride == m.columns) {
        return m.data;
    }
    if (m.columnStride != 1) {
        copyTransposed(m, buffer);
        return buffer;
    }
    for (std::int64_t row = 0; row < m.rows; ++row) {
        std::memcpy(buffer + row * m.columns, m.data + row * m.rowStride,
            static_cast<std::size_t>(m.columns) * sizeof(float));
    }
    return buffer;
}

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

void AttentionStep::runFused(Frame& frame, const Operands& o) const
{
    const bool keep = m_probabilities == Probabilities::Visible || m_parts.observe != nullptr;
    const std::int64_t items = o.items();
    const Slot probabilitySlot = m_parts.softmax->output();
    Array keys = Array::make(frame.pool, DType::F32, {items, o.width(), o.keys()});
    Array values = Array::make(frame.pool, DType::F32, {items, o.keys(), o.outputs()});
    // Heads side by side, so that the Transpose and Reshape which follow move nothing.
    Array context
        = Array::make(frame.pool, DType::F32, {o.query.dims[0], o.rows(), o.query.dims[1], o.outputs()});
    context = permuted(context, {0, 2, 1, 3});
    Array probabilities;
    if (keep) {
        probabilities
            = Array::make(frame.pool, DType::F32, {o.query.dims[0], o.query.dims[1], o.rows(), o.keys()});
    }
    const RowBlocks blocks({1, o.rows(), o.width()});
    const std::int64_t room = blocks.maxRows() * std::max(o.width(), o.outputs());
    const RowFunctions& functions = rowFunctions();
    const bool divides = m_parts.scale != nullptr && m_parts.scale->node().op == "Div";

    const auto packHead = [&](std::int64_t item) {
        float* keyBuffer = keys.f32() + item * o.width() * o.keys();
        float* valueBuffer = values.f32() + item * o.keys() * o.outputs();
        static_cast<void>(dense(headOf(o.key, item), keyBuffer));
        static_cast<void>(dense(headOf(o.value, item), valueBuffer));
    };
    const auto keyOf = [&](std::int64_t item) {
        const HeadMatrix m = headOf(o.key, item);
        return m.columnStride == 1 && m.rowStride == m.columns ? m.data
                                                               : keys.f32() + item * o.width() * o.keys();
    };
    const auto valueOf = [&](std::int64_t item) {
        const HeadMatrix m = headOf(o.value, item);
        return m.columnStride == 1 && m.rowStride == m.columns ? m.data
                                                               : values.f32() + item * o.keys() * o.outputs();
    };
    const auto probabilitiesOf
        = [&](std::int64_t item, std::int64_t first, std::int64_t count, float* scratch, float* out) {
              const float* query = dense(rowsOf(headOf(o.query, item), first, first + count), scratch);
              multiply(query, keyOf(item), out, count, o.width(), o.keys());
              if (divides) {
                  functions.divide(out, o.factor, out, count * o.keys());
              } else if (m_parts.scale != nullptr) {
                  functions.scale(out, o.factor, out, count * o.keys());
              }
              for (std::int64_t row = 0; row < count; ++row) {
                  functions.softmax(out + row * o.keys(), out + row * o.keys(), o.keys());
              }
          };
    const auto contextOf
        = [&](std::int64_t item, std::int64_t first, std::int64_t count, const float* p, float* scratch) {
              multiply(p, valueOf(item), scratch, count, o.keys(), o.outputs());
              const HeadMatrix target = rowsOf(headOf(context, item), first, first + count);
              for (std::int64_t row = 0; row < count; ++row) {
                  std::memcpy(const_cast<float*>(target.data) + row * target.rowStride,
                      scratch + row * o.outputs(), static_cast<std::size_t>(o.outputs()) * sizeof(float));
              }
          };
    const auto transform = [&](std::int64_t item, std::int64_t count, const float* p, float* out) {
        for (std::int64_t row = 0; row < count; ++row) {
            m_parts.transform->transform().transformRow(item % o.query.dims[1],
                {p + row * o.keys(), static_cast<std::size_t>(o.keys())}, out + row * o.keys());
        }
    };
    const auto forBlocks = [&](const auto& body) {
        parallelFor(items * blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
            thread_local std::vector<float> memory;
            memory.resize(
                std::max(memory.size(), static_cast<std::size_t>(room + blocks.maxRows() * o.keys() + 32)));
            const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
            float* scratch = memory.data() + (64 - address % 64) % 64 / sizeof(float);
            float* scores = scratch + (room + 15) / 16 * 16;
            for (std::int64_t index = begin; index < end; ++index) {
                frame.context.throwIfCancelled();
                const std::int64_t block = index % blocks.count();
                const std::int64_t first = blocks.begin(block);
                const std::int64_t count = blocks.end(block) - first;
                if (count > 0) {
                    body(index / blocks.count(), first, count, scratch, scores);
                }
            }
        });
    };

    parallelFor(items, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
            packHead(item);
        }
    });
    if (!keep) {
        forBlocks(
            [&](std::int64_t item, std::int64_t first, std::int64_t count, float* scratch, float* scores) {
                probabilitiesOf(item, first, count, scratch, scores);
                if (m_parts.transform != nullptr) {
                    transform(item, count, scores, scores);
                }
                contextOf(item, first, count, scores, scratch);
            });
    } else {
        const auto placeOf = [&](std::int64_t item, std::int64_t first) {
            return probabilities.f32() + (item * o.rows() + first) * o.keys();
        };
        forBlocks([&](std::int64_t item, std::int64_t first, std::int64_t count, float* scratch, float*) {
            probabilitiesOf(item, first, count, scratch, placeOf(item, first));
        });
        frame.slots[probabilitySlot] = probabilities;
        if (m_parts.observe != nullptr) {
            m_parts.observe->run(frame);
        }
        forBlocks(
            [&](std::int64_t item, std::int64_t first, std::int64_t count, float* scratch, float* scores) {
                const float* p = placeOf(item, first);
                if (m_parts.transform != nullptr) {
                    transform(item, count, p, scores);
                    p = scores;
                }
                contextOf(item, first, count, p, scratch);
            });
        if (m_probabilities == Probabilities::Private) {
            frame.slots[probabilitySlot] = Array();
        }
    }
    frame.slots[m_parts.context->output()] = context;
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
