#include "core/runtime/convolution_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/kernel_registry.h"
#include "core/runtime/row_blocks.h"
#include "core/runtime/thread_scratch.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace qs {

namespace {

/// A convolution over two spatial dimensions; one spatial dimension is seen as height 1.
struct Geometry
{
    std::int64_t batch = 0;
    std::int64_t channels = 0;
    std::int64_t groups = 1;
    std::int64_t outputs = 0; ///< channels of the result
    std::array<std::int64_t, 2> size {1, 1};
    std::array<std::int64_t, 2> kernel {1, 1};
    std::array<std::int64_t, 2> stride {1, 1};
    std::array<std::int64_t, 2> dilation {1, 1};
    std::array<std::int64_t, 2> padBegin {0, 0};
    std::array<std::int64_t, 2> padEnd {0, 0};
    std::array<std::int64_t, 2> result {1, 1};

    [[nodiscard]] std::int64_t groupChannels() const { return channels / groups; }
    [[nodiscard]] std::int64_t patch() const { return groupChannels() * kernel[0] * kernel[1]; }
};

/// Attribute lists have one entry per spatial dimension; the missing first one keeps its default.
void fill(const KernelCall& call, const char* name, std::array<std::int64_t, 2>& target, std::size_t spatial)
{
    const std::vector<std::int64_t> values = call.node.intsAttribute(name);
    if (values.empty()) {
        return;
    }
    if (values.size() != spatial) {
        call.fail(ErrorCode::InvalidArgument,
            std::string(name) + " has " + std::to_string(values.size()) + " entries");
    }
    for (std::size_t i = 0; i < spatial; ++i) {
        if (values[i] < 1 || values[i] > (std::int64_t {1} << 31)) {
            call.fail(ErrorCode::InvalidArgument, std::string(name) + " of " + std::to_string(values[i]));
        }
        target[2 - spatial + i] = values[i];
    }
}

void fillPads(const KernelCall& call, Geometry& g, std::size_t spatial)
{
    const std::string automatic = call.node.stringAttribute("auto_pad", "NOTSET");
    const std::vector<std::int64_t> pads = call.node.intsAttribute("pads");
    for (std::size_t i = 0; i < spatial; ++i) {
        const std::size_t d = 2 - spatial + i;
        if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
            const std::int64_t steps = (g.size[d] + g.stride[d] - 1) / g.stride[d];
            const std::int64_t reach = (g.kernel[d] - 1) * g.dilation[d] + 1;
            const std::int64_t total
                = std::max<std::int64_t>(0, (steps - 1) * g.stride[d] + reach - g.size[d]);
            g.padBegin[d] = automatic == "SAME_UPPER" ? total / 2 : total - total / 2;
            g.padEnd[d] = total - g.padBegin[d];
        } else if (automatic == "NOTSET" && pads.size() == 2 * spatial) {
            g.padBegin[d] = pads[i];
            g.padEnd[d] = pads[spatial + i];
        } else if (automatic == "NOTSET" && !pads.empty()) {
            call.fail(ErrorCode::InvalidArgument, "pads has " + std::to_string(pads.size()) + " entries");
        }
        if (g.padBegin[d] < 0 || g.padEnd[d] < 0
            || std::max(g.padBegin[d], g.padEnd[d]) > (std::int64_t {1} << 31)) {
            call.fail(ErrorCode::Unsupported, "pads of " + std::to_string(g.padBegin[d]));
        }
    }
}

Geometry geometryOf(const KernelCall& call, const Array& x, const Array& weight)
{
    if ((x.rank() != 3 && x.rank() != 4) || weight.rank() != x.rank()) {
        call.fail(ErrorCode::Unsupported, "input " + x.shapeText() + " with weight " + weight.shapeText());
    }
    const std::size_t spatial = x.rank() - 2;
    Geometry g;
    g.batch = x.dims[0];
    g.channels = x.dims[1];
    g.groups = call.node.intAttribute("group", 1);
    g.outputs = weight.dims[0];
    if (g.groups < 1 || g.channels % g.groups != 0 || g.outputs % g.groups != 0
        || weight.dims[1] != g.channels / g.groups) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + x.shapeText() + " and weight " + weight.shapeText() + " in " + std::to_string(g.groups)
                + " groups");
    }
    for (std::size_t i = 0; i < spatial; ++i) {
        g.size[2 - spatial + i] = x.dims[2 + i];
        g.kernel[2 - spatial + i] = weight.dims[2 + i];
    }
    fill(call, "strides", g.stride, spatial);
    fill(call, "dilations", g.dilation, spatial);
    fillPads(call, g, spatial);
    for (std::size_t d = 0; d < 2; ++d) {
        const std::int64_t room
            = g.size[d] + g.padBegin[d] + g.padEnd[d] - (g.kernel[d] - 1) * g.dilation[d] - 1;
        if (room < 0) {
            call.fail(ErrorCode::ShapeMismatch, "a kernel larger than the padded input " + x.shapeText());
        }
        g.result[d] = room / g.stride[d] + 1;
    }
    return g;
}

/// Writes the patch [groupChannels, kernel height, kernel width] under one output position.
void gatherPatch(
    const Geometry& g, const float* sample, std::int64_t firstChannel, std::int64_t position, float* out)
{
    const std::int64_t top = position / g.result[1] * g.stride[0] - g.padBegin[0];
    const std::int64_t left = position % g.result[1] * g.stride[1] - g.padBegin[1];
    const bool wholeRows = g.dilation[1] == 1 && left >= 0 && left + g.kernel[1] <= g.size[1];
    for (std::int64_t c = 0; c < g.groupChannels(); ++c) {
        const float* plane = sample + (firstChannel + c) * g.size[0] * g.size[1];
        for (std::int64_t i = 0; i < g.kernel[0]; ++i, out += g.kernel[1]) {
            const std::int64_t y = top + i * g.dilation[0];
            if (y < 0 || y >= g.size[0]) {
                std::fill_n(out, g.kernel[1], 0.0F);
            } else if (wholeRows) {
                std::memcpy(
                    out, plane + y * g.size[1] + left, static_cast<std::size_t>(g.kernel[1]) * sizeof(float));
            } else {
                for (std::int64_t j = 0; j < g.kernel[1]; ++j) {
                    const std::int64_t x = left + j * g.dilation[1];
                    out[j] = x < 0 || x >= g.size[1] ? 0.0F : plane[y * g.size[1] + x];
                }
            }
        }
    }
}

/// As a matrix product of gathered patches and the weight. The result is made channels-last and handed on as
/// a view, so that a patch embedding's Reshape and Transpose to tokens cost nothing.
std::vector<Array> conv(const KernelCall& call)
{
    const Array x = call.denseF32(0);
    const Array weight = call.denseF32(1);
    const Geometry g = geometryOf(call, x, weight);
    const Array bias = call.has(2) ? call.denseF32(2) : Array();
    if (bias.valid() && bias.count() != g.outputs) {
        call.fail(ErrorCode::ShapeMismatch,
            "bias " + bias.shapeText() + " of " + std::to_string(g.outputs) + " outputs");
    }
    const std::int64_t positions = g.result[0] * g.result[1];
    const std::int64_t groupOutputs = g.outputs / g.groups;
    Array y = call.make(DType::F32, {g.groups, g.batch, positions, groupOutputs});
    for (std::int64_t group = 0; group < g.groups; ++group) {
        Array matrix {DType::F32, {g.patch(), groupOutputs}, {1, g.patch()}, weight.storage, weight.data};
        matrix.data += group * groupOutputs * g.patch() * static_cast<std::int64_t>(sizeof(float));
        const bool keep = g.groups == 1 && call.inputIsConstant(1);
        const auto packed = call.constants.packed(keep ? call.node.inputs[1] : kNoValue, matrix);
        const float* offset = bias.valid() ? bias.f32() + group * groupOutputs : nullptr;
        float* out = y.f32() + group * g.batch * positions * groupOutputs;
        const RowBlocks blocks({g.batch, positions, g.patch()});
        parallelFor(blocks.count(), 1, [&](std::int64_t begin, std::int64_t end) {
            float* patches = threadScratch(blocks.maxRows() * g.patch());
            for (std::int64_t block = begin; block < end; ++block) {
                call.context.throwIfCancelled();
                const std::int64_t first = blocks.begin(block);
                const std::int64_t last = blocks.end(block);
                for (std::int64_t row = first; row < last; ++row) {
                    const float* sample = x.f32() + row / positions * g.channels * g.size[0] * g.size[1];
                    gatherPatch(g, sample, group * g.groupChannels(), row % positions,
                        patches + (row - first) * g.patch());
                }
                packed->multiply(patches, last - first, offset, out + first * groupOutputs);
            }
        });
    }
    Array view = permuted(y, {1, 0, 3, 2}); // [B, groups, outputs of a group, positions]
    view = reshaped(view, {g.batch, g.outputs, positions}, call.pool);
    Dims dims {g.batch, g.outputs};
    dims.insert(dims.end(), x.rank() == 4 ? g.result.begin() : g.result.begin() + 1, g.result.end());
    return {reshaped(view, dims, call.pool)};
}

} // namespace

void addConvolutionKernels(KernelRegistry& registry)
{
    registry.add("Conv", {conv});
}

} // namespace qs
