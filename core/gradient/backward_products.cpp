#include "core/gradient/array_sums.h"
#include "core/gradient/backward_families.h"
#include "core/runtime/broadcast.h"
#include "core/runtime/matmul.h"

namespace qs {

namespace {

struct Matrix
{
    const float* data = nullptr;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
};

/// Into dense memory of columns x rows.
void transposeInto(const Matrix& matrix, float* out)
{
    constexpr std::int64_t kTile = 16;
    for (std::int64_t top = 0; top < matrix.rows; top += kTile) {
        for (std::int64_t left = 0; left < matrix.columns; left += kTile) {
            const std::int64_t bottom = std::min(top + kTile, matrix.rows);
            const std::int64_t right = std::min(left + kTile, matrix.columns);
            for (std::int64_t r = top; r < bottom; ++r) {
                for (std::int64_t c = left; c < right; ++c) {
                    out[c * matrix.rows + r] = matrix.data[r * matrix.columns + c];
                }
            }
        }
    }
}

/// a^T b, both with the same number of rows.
void multiplyTransposed(const BackwardCall& call, const Matrix& a, const Matrix& b, float* out)
{
    const Array turned = call.make({a.columns, a.rows});
    transposeInto(a, turned.f32());
    multiply(turned.f32(), b.data, out, a.columns, a.rows, b.columns);
}

/// y = x W^T + b: dX = dY W, dW = dY^T X, db = sum of dY's rows.
std::vector<Array> linear(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const bool outputsFirst = forward.node.intAttribute("transB", 0) != 0;
    const Array x = forward.denseF32(0);
    const Array w = forward.denseF32(1);
    const Array g = contiguous(call.gradient(), forward.pool);
    const std::int64_t inputs = x.dims.back();
    const std::int64_t outputs = g.dims.back();
    const std::int64_t rows = x.count() / inputs;
    const Matrix xMatrix {x.f32(), rows, inputs};
    const Matrix gMatrix {g.f32(), rows, outputs};
    std::vector<Array> result(forward.inputs.size());
    if (call.wants(0)) {
        result[0] = call.make(x.dims);
        multiply(g.f32(), w.f32(), result[0].f32(), rows, outputs, inputs,
            outputsFirst ? RightHand::Plain : RightHand::Transposed);
    }
    if (call.wants(1)) {
        result[1] = call.make(w.dims);
        if (outputsFirst) {
            multiplyTransposed(call, gMatrix, xMatrix, result[1].f32());
        } else {
            multiplyTransposed(call, xMatrix, gMatrix, result[1].f32());
        }
    }
    if (call.wants(2)) {
        result[2] = summedTo(g, forward.inputs[2].dims, forward.pool);
    }
    return result;
}

/// A, B repeated over the dims in front of the last two as the product's are, dense.
Array repeated(const Array& matrices, const Dims& product, BufferPool& pool)
{
    Dims dims = product;
    dims[dims.size() - 2] = matrices.dims[matrices.rank() - 2];
    dims.back() = matrices.dims.back();
    return contiguous(broadcastView(matrices, dims), pool);
}

/// C = A B: dA = dC B^T, dB = A^T dC (methods.md 0.3), matrix by matrix.
std::vector<Array> matmul(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Array& left = forward.input(0);
    const Array& right = forward.input(1);
    if (left.rank() < 2 || right.rank() < 2) {
        forward.fail(ErrorCode::Unsupported, "the gradient of a product with a vector");
    }
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array a = repeated(left, g.dims, forward.pool);
    const Array b = repeated(right, g.dims, forward.pool);
    const std::int64_t m = g.dims[g.rank() - 2];
    const std::int64_t n = g.dims.back();
    const std::int64_t k = a.dims.back();
    const std::int64_t count = product(g.dims, 0, g.rank() - 2);
    const Array da = call.wants(0) ? call.make(a.dims) : Array();
    const Array db = call.wants(1) ? call.make(b.dims) : Array();
    for (std::int64_t i = 0; i < count; ++i) {
        const float* gi = g.f32() + i * m * n;
        if (da.valid()) {
            multiply(gi, b.f32() + i * k * n, da.f32() + i * m * k, m, n, k, RightHand::Transposed);
        }
        if (db.valid()) {
            multiplyTransposed(call, {a.f32() + i * m * k, m, k}, {gi, m, n}, db.f32() + i * k * n);
        }
    }
    std::vector<Array> result(2);
    if (da.valid()) {
        result[0] = summedTo(da, left.dims, forward.pool);
    }
    if (db.valid()) {
        result[1] = summedTo(db, right.dims, forward.pool);
    }
    return result;
}

} // namespace

void addProductBackwards(BackwardTable& table)
{
    table["Linear"] = linear;
    table["MatMul"] = matmul;
}

} // namespace qs
