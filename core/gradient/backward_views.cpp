#include "core/gradient/array_sums.h"
#include "core/gradient/backward_families.h"

namespace qs {

namespace {

/// Operators whose outputs are views of their first input: the gradients are written through the same views
/// of a gradient that starts as zero.
std::vector<Array> throughViews(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Array dx = zeroArray(forward.pool, forward.input(0).dims);
    std::vector<Array> inputs(forward.inputs.begin(), forward.inputs.end());
    inputs[0] = dx;
    const KernelCall again {
        forward.node, inputs, forward.pool, forward.constants, forward.context, forward.constantInputs};
    const std::vector<Array> views = KernelRegistry::instance().find(forward.node.op)->run(again);
    for (std::size_t i = 0; i < views.size(); ++i) {
        if (views[i].storage != dx.storage) {
            forward.fail(ErrorCode::Unsupported, "the gradient of this form of the operator");
        }
        if (i < call.gradients.size() && call.gradients[i].valid()) {
            copyInto(call.gradients[i], views[i]);
        }
    }
    std::vector<Array> result(forward.inputs.size());
    result[0] = dx;
    return result;
}

std::vector<Array> expand(const BackwardCall& call)
{
    std::vector<Array> result(call.forward.inputs.size());
    result[0] = summedTo(call.gradient(), call.forward.input(0).dims, call.forward.pool);
    return result;
}

std::vector<Array> concat(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Array& g = call.gradient();
    const std::size_t axis = forward.axis(forward.node.intAttribute("axis", 0), g.rank());
    std::vector<Array> result(forward.inputs.size());
    std::int64_t at = 0;
    for (std::size_t i = 0; i < result.size(); ++i) {
        const Dims& dims = forward.input(i).dims;
        if (call.wants(i)) {
            Array part = g;
            part.dims = dims;
            part.data += at * g.strides[axis] * static_cast<std::int64_t>(sizeof(float));
            result[i] = contiguous(part, forward.pool);
        }
        at += dims[axis];
    }
    return result;
}

/// Rows that were read several times collect the sum.
std::vector<Array> gather(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    const Dims& dims = forward.input(0).dims;
    const std::size_t axis = forward.axis(forward.node.intAttribute("axis", 0), dims.size());
    const Dims indices = integersOf(forward.input(1));
    const Array g = contiguous(call.gradient(), forward.pool);
    const Array dx = zeroArray(forward.pool, dims);
    const std::int64_t outer = product(dims, 0, axis);
    const std::int64_t inner = product(dims, axis + 1, dims.size());
    const auto count = static_cast<std::int64_t>(indices.size());
    for (std::int64_t o = 0; o < outer; ++o) {
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t index = indices[static_cast<std::size_t>(i)];
            const std::int64_t row = index < 0 ? index + dims[axis] : index;
            const float* from = g.f32() + (o * count + i) * inner;
            float* to = dx.f32() + (o * dims[axis] + row) * inner;
            for (std::int64_t k = 0; k < inner; ++k) {
                to[k] += from[k];
            }
        }
    }
    std::vector<Array> result(2);
    result[0] = dx;
    return result;
}

/// A rotation's transpose is the rotation back: the same operator with the sines negated.
std::vector<Array> rotaryEmbedding(const BackwardCall& call)
{
    const KernelCall& forward = call.forward;
    std::vector<Array> inputs(forward.inputs.begin(), forward.inputs.end());
    inputs[0] = call.gradient();
    const Array sines = forward.denseF32(2);
    inputs[2] = call.make(sines.dims);
    for (std::int64_t i = 0, count = sines.count(); i < count; ++i) {
        inputs[2].f32()[i] = -sines.f32()[i];
    }
    const KernelCall back {
        forward.node, inputs, forward.pool, forward.constants, forward.context, forward.constantInputs};
    std::vector<Array> result(forward.inputs.size());
    result[0] = KernelRegistry::instance().find(forward.node.op)->run(back).at(0);
    return result;
}

} // namespace

void addViewBackwards(BackwardTable& table)
{
    for (const char* op :
        {"Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Split", "Slice"}) {
        table[op] = throughViews;
    }
    table["Expand"] = expand;
    table["Concat"] = concat;
    table["Gather"] = gather;
    table["RotaryEmbedding"] = rotaryEmbedding;
}

} // namespace qs
