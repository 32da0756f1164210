#include "core/runtime/row_program.h"

#include "core/runtime/row_functions.h"
#include "core/runtime/thread_scratch.h"

namespace qs {

void RowOperation::run(
    float* scratch, std::int64_t registerSize, std::int64_t firstRow, std::int64_t rows) const
{
    const RowFunctions& functions = rowFunctions();
    const float* x = in.at(scratch, registerSize, firstRow);
    float* y = out.at(scratch, registerSize, firstRow);
    const std::int64_t width = in.width;
    switch (kind) {
    case Kind::Linear: matrix->multiply(x, rows, first, y); break;
    case Kind::Norm:
        for (std::int64_t row = 0; row < rows; ++row) {
            functions.layerNorm(x + row * width, first, second, epsilon, y + row * width, width);
        }
        break;
    case Kind::RmsNorm:
        for (std::int64_t row = 0; row < rows; ++row) {
            functions.rmsNorm(x + row * width, first, epsilon, y + row * width, width);
        }
        break;
    case Kind::Map: map(x, y, rows * width); break;
    case Kind::AddRows: functions.add(x, other.at(scratch, registerSize, firstRow), y, rows * width); break;
    case Kind::MulRows: functions.mul(x, other.at(scratch, registerSize, firstRow), y, rows * width); break;
    case Kind::AddVector:
        for (std::int64_t row = 0; row < rows; ++row) {
            functions.add(x + row * width, first, y + row * width, width);
        }
        break;
    case Kind::MulVector:
        for (std::int64_t row = 0; row < rows; ++row) {
            functions.mul(x + row * width, first, y + row * width, width);
        }
        break;
    case Kind::Transform:
        for (std::int64_t row = 0; row < rows; ++row) {
            transform->transformRow(0, {x + row * width, static_cast<std::size_t>(width)}, y + row * width);
        }
        break;
    }
}

void RowProgram::runBlock(std::int64_t block, StepClock& clock) const
{
    const std::int64_t first = blocks.begin(block);
    const std::int64_t rows = blocks.end(block) - first;
    if (rows == 0) {
        return;
    }
    float* scratch = threadScratch(registers * registerSize);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        clock.measure(i, [&] { operations[i].run(scratch, registerSize, first, rows); });
    }
}

std::vector<StepClock::Part> RowProgram::parts() const
{
    std::vector<StepClock::Part> parts;
    for (const RowOperation& operation : operations) {
        StepClock::Part part {operation.node, 0.0};
        if (operation.kind == RowOperation::Kind::Linear) {
            part.operations = 2.0 * static_cast<double>(blocks.rows())
                * static_cast<double>(operation.matrix->rows() * operation.matrix->columns());
        }
        parts.push_back(part);
    }
    return parts;
}

} // namespace qs
