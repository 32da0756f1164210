#include "core/runtime/matmul_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/integer_kernels.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/row_blocks.h"
#include "core/tensor/weight_values.h"

#include <algorithm>
#include <numeric>

namespace qs {

namespace {

/// The matrix packed: kept between runs when it is a constant of the graph.
std::shared_ptr<const PackedMatrix> packedInput(
    const KernelCall& call, std::size_t index, const Array& matrix)
{
    return call.constants.packed(call.inputIsConstant(index) ? call.node.inputs[index] : kNoValue, matrix);
}

/// x [..., K] times a packed [K, N] matrix, plus bias [N].
Array multiplyRows(const KernelCall& call, const Array& x, const PackedMatrix& matrix, const float* bias)
{
    const Array dense = contiguous(x, call.pool);
    Dims dims = x.dims;
    dims.back() = matrix.columns();
    Array y = call.make(DType::F32, dims);
    const RowBlocks blocks(x.dims);
    parallelFor(blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t block = begin; block < end; ++block) {
            call.context.throwIfCancelled();
            const std::int64_t first = blocks.begin(block);
            matrix.multiply(dense.f32() + first * matrix.rows(), blocks.end(block) - first, bias,
                y.f32() + first * matrix.columns());
        }
    });
    return y;
}

void requireF32(const KernelCall& call, std::initializer_list<std::size_t> inputs)
{
    for (const std::size_t index : inputs) {
        if (call.has(index) && call.input(index).dtype != DType::F32) {
            call.fail(ErrorCode::Unsupported,
                "input " + std::to_string(index) + " is " + std::string(nameOf(call.input(index).dtype)));
        }
    }
}

/// The right-hand matrix of a product that packs it, which converts it too.
void requireWeight(const KernelCall& call, std::size_t index)
{
    if (!isWeightType(call.input(index).dtype)) {
        call.fail(ErrorCode::Unsupported,
            "input " + std::to_string(index) + " is " + std::string(nameOf(call.input(index).dtype)));
    }
}

std::vector<Array> linear(const KernelCall& call)
{
    requireF32(call, {0, 2});
    requireWeight(call, 1);
    const Array& x = call.input(0);
    Array weight = call.input(1);
    if (weight.rank() == 2 && call.node.intAttribute("transB", 0) != 0) {
        weight = permuted(weight, {1, 0});
    }
    if (x.rank() == 0 || weight.rank() != 2 || x.dims.back() != weight.dims[0]) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and weight " + call.input(1).shapeText() + " do not fit");
    }
    Array bias;
    if (call.has(2)) {
        bias = call.denseF32(2);
        if (bias.count() != weight.dims[1]) {
            call.fail(ErrorCode::ShapeMismatch,
                "bias " + bias.shapeText() + " of " + std::to_string(weight.dims[1]) + " outputs");
        }
    }
    return {multiplyRows(call, x, *packedInput(call, 1, weight), bias.valid() ? bias.f32() : nullptr)};
}

/// True when the matrices of the last two dimensions lie in memory as their transposes.
bool isTransposed(const Array& array)
{
    return array.strides[array.rank() - 1] != 1 && array.strides[array.rank() - 2] == 1;
}

/// Batches of matrices: a [M, K] times b [K, N], every product cut into blocks of rows.
void multiplyBatches(const KernelCall& call, const Array& left, const Array& right, const Array& out)
{
    const RightHand rightHand = isTransposed(right) ? RightHand::Transposed : RightHand::Plain;
    const Array a = contiguous(left, call.pool);
    Array b = right;
    if (rightHand == RightHand::Transposed) {
        std::vector<std::size_t> order(right.rank());
        std::iota(order.begin(), order.end(), std::size_t {0});
        std::swap(order[right.rank() - 1], order[right.rank() - 2]);
        b = permuted(right, order);
    }
    b = contiguous(b, call.pool);
    const std::size_t rank = out.rank();
    const std::int64_t m = out.dims[rank - 2];
    const std::int64_t n = out.dims[rank - 1];
    const std::int64_t k = a.dims.back();
    const Dims batchDims(out.dims.begin(), out.dims.end() - 2);
    const auto batchOffset = [&](const Array& array, std::int64_t batch) {
        std::int64_t offset = 0;
        for (std::size_t i = batchDims.size(); i-- > 0;) {
            const std::int64_t index = batch % batchDims[i];
            batch /= batchDims[i];
            const std::size_t missing = batchDims.size() + 2 - array.rank();
            if (i >= missing && array.dims[i - missing] != 1) {
                offset += index * array.strides[i - missing];
            }
        }
        return offset;
    };
    const std::int64_t batches = product(batchDims, 0, batchDims.size());
    const RowBlocks blocks({1, m, k});
    parallelFor(batches * blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
            call.context.throwIfCancelled();
            const std::int64_t batch = item / blocks.count();
            const std::int64_t first = blocks.begin(item % blocks.count());
            const std::int64_t last = blocks.end(item % blocks.count());
            multiply(a.f32() + batchOffset(a, batch) + first * k, b.f32() + batchOffset(b, batch),
                out.f32() + batch * m * n + first * n, last - first, k, n, rightHand);
        }
    });
}

std::vector<Array> matmul(const KernelCall& call)
{
    const bool integers = call.input(0).dtype == DType::I32 && call.input(1).dtype == DType::I32;
    if (!integers) {
        requireF32(call, {0, 1});
    }
    Array a = call.input(0);
    Array b = call.input(1);
    if (a.rank() == 0 || b.rank() == 0) {
        call.fail(ErrorCode::ShapeMismatch, "a scalar operand");
    }
    const bool rowVector = a.rank() == 1;
    const bool columnVector = b.rank() == 1;
    if (rowVector) {
        a = reshaped(a, {1, a.dims[0]}, call.pool);
    }
    if (columnVector) {
        b = reshaped(b, {b.dims[0], 1}, call.pool);
    }
    if (a.dims.back() != b.dims[b.rank() - 2]) {
        call.fail(
            ErrorCode::ShapeMismatch, "operands " + a.shapeText() + " and " + b.shapeText() + " do not fit");
    }
    Array y;
    if (integers) {
        y = multiplyIntegers(call, a, b);
    } else if (b.rank() == 2 && call.inputIsConstant(1) && a.rank() >= 2) {
        y = multiplyRows(call, a, *packedInput(call, 1, b), nullptr);
    } else {
        const Dims batch = broadcastDims(
            call.node, Dims(a.dims.begin(), a.dims.end() - 2), Dims(b.dims.begin(), b.dims.end() - 2));
        Dims dims = batch;
        dims.push_back(a.dims[a.rank() - 2]);
        dims.push_back(b.dims.back());
        y = call.make(DType::F32, dims);
        multiplyBatches(call, a, b, y);
    }
    Dims dims = y.dims;
    if (columnVector) {
        dims.pop_back();
    }
    if (rowVector) {
        dims.erase(dims.end() - (columnVector ? 1 : 2));
    }
    return {reshaped(y, dims, call.pool)};
}

/// alpha * A' * B' + beta * C; C broadcasts to [M, N].
std::vector<Array> gemm(const KernelCall& call)
{
    requireF32(call, {0, 2});
    requireWeight(call, 1);
    Array a = call.input(0);
    Array b = call.input(1);
    if (a.rank() != 2 || b.rank() != 2) {
        call.fail(ErrorCode::ShapeMismatch, "operands " + a.shapeText() + " and " + b.shapeText());
    }
    a = call.node.intAttribute("transA", 0) != 0 ? permuted(a, {1, 0}) : a;
    b = call.node.intAttribute("transB", 0) != 0 ? permuted(b, {1, 0}) : b;
    if (a.dims[1] != b.dims[0]) {
        call.fail(
            ErrorCode::ShapeMismatch, "operands " + a.shapeText() + " and " + b.shapeText() + " do not fit");
    }
    const auto alpha = static_cast<float>(call.node.floatAttribute("alpha", 1.0));
    const auto beta = static_cast<float>(call.node.floatAttribute("beta", 1.0));
    const bool plainBias = alpha == 1.0F && beta == 1.0F && call.has(2)
        && (call.input(2).dims == Dims {b.dims[1]} || call.input(2).dims == Dims {1, b.dims[1]});
    const Array bias = plainBias ? call.denseF32(2) : Array();
    Array y = multiplyRows(call, a, *packedInput(call, 1, b), plainBias ? bias.f32() : nullptr);
    if (plainBias || (alpha == 1.0F && !call.has(2))) {
        return {y};
    }
    const Array c = call.has(2)
        ? broadcastView(call.input(2), broadcastDims(call.node, y.dims, call.input(2).dims))
        : Array();
    for (std::int64_t row = 0; row < y.dims[0]; ++row) {
        float* out = y.f32() + row * y.dims[1];
        for (std::int64_t i = 0; i < y.dims[1]; ++i) {
            out[i] *= alpha;
            if (c.valid()) {
                out[i] += beta * c.f32()[row * c.strides[0] + i * c.strides[1]];
            }
        }
    }
    return {y};
}

} // namespace

void addMatmulKernels(KernelRegistry& registry)
{
    registry.add("Linear", {linear});
    registry.add("MatMul", {matmul});
    registry.add("Gemm", {gemm});
}

} // namespace qs
