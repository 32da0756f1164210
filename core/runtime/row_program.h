#pragma once

#include "core/runtime/array.h"
#include "core/runtime/matmul.h"
#include "core/runtime/row_blocks.h"
#include "core/runtime/row_transform.h"
#include "core/runtime/step_clock.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace qs {

/// Where the rows of one value of a RowProgram lie: in a register (scratch memory of the block being worked
/// on) or in memory that holds all rows.
struct RowPlace
{
    float* all = nullptr; ///< row 0, when not in a register
    int reg = -1;
    std::int64_t width = 0;

    [[nodiscard]] float* at(float* scratch, std::int64_t registerSize, std::int64_t firstRow) const
    {
        return reg >= 0 ? scratch + reg * registerSize : all + firstRow * width;
    }
};

/// One operator on rows.
struct RowOperation
{
    enum class Kind { Linear, Norm, RmsNorm, Map, AddRows, MulRows, AddVector, MulVector, Transform };

    Kind kind = Kind::Map;
    const Node* node = nullptr; ///< null for a transform
    RowPlace in;
    RowPlace other; ///< second operand of AddRows and MulRows
    RowPlace out;
    std::shared_ptr<const PackedMatrix> matrix; ///< Linear
    const float* first = nullptr; ///< bias, gamma, or the vector
    const float* second = nullptr; ///< beta
    float epsilon = 0.0F;
    void (*map)(const float*, float*, std::int64_t) = nullptr; ///< Map
    const RowTransform* transform = nullptr;

    /// Works on `rows` rows from firstRow on.
    void run(float* scratch, std::int64_t registerSize, std::int64_t firstRow, std::int64_t rows) const;
};

/// A resolved chain, ready to run on blocks of rows from several threads at once.
struct RowProgram
{
    RowBlocks blocks;
    std::vector<RowOperation> operations;
    std::int64_t registers = 0;
    std::int64_t registerSize = 0; ///< floats
    std::vector<Array> held; ///< memory the places point into

    /// The clock has one part per operation.
    void runBlock(std::int64_t block, StepClock& clock) const;
    /// What the operations are to the clock.
    [[nodiscard]] std::vector<StepClock::Part> parts() const;
};

} // namespace qs
