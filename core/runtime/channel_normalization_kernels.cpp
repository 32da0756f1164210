#include "core/runtime/channel_normalization_kernels.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/runtime/kernel_registry.h"

#include <cmath>
#include <vector>

namespace qs {

namespace {

/// The input as [batch, channels, positions].
struct Planes
{
    Array x;
    std::int64_t batch = 0;
    std::int64_t channels = 0;
    std::int64_t positions = 0;
};

Planes planesOf(const KernelCall& call)
{
    Planes planes;
    planes.x = call.denseF32(0);
    if (planes.x.rank() < 2) {
        call.fail(ErrorCode::ShapeMismatch, "input " + planes.x.shapeText() + " has no channels");
    }
    planes.batch = planes.x.dims[0];
    planes.channels = planes.x.dims[1];
    planes.positions = product(planes.x.dims, 2, planes.x.rank());
    return planes;
}

/// An input with one number a channel.
Array perChannel(const KernelCall& call, std::size_t index, std::int64_t channels)
{
    const Array values = call.denseF32(index);
    if (values.rank() != 1 || values.count() != channels) {
        call.fail(ErrorCode::ShapeMismatch,
            "input " + std::to_string(index) + " of shape " + values.shapeText() + " for "
                + std::to_string(channels) + " channels");
    }
    return values;
}

struct Moments
{
    double mean = 0.0;
    double variance = 0.0; ///< of the population
};

/// Of `runs` stretches of `count` neighbouring floats, `step` apart.
Moments momentsOf(const float* first, std::int64_t runs, std::int64_t step, std::int64_t count)
{
    const auto total = static_cast<double>(runs * count);
    Moments result;
    for (std::int64_t run = 0; run < runs; ++run) {
        for (std::int64_t i = 0; i < count; ++i) {
            result.mean += static_cast<double>(first[run * step + i]);
        }
    }
    result.mean /= total;
    for (std::int64_t run = 0; run < runs; ++run) {
        for (std::int64_t i = 0; i < count; ++i) {
            const double distance = static_cast<double>(first[run * step + i]) - result.mean;
            result.variance += distance * distance;
        }
    }
    result.variance /= total;
    return result;
}

/// out = (in - mean) / sqrt(variance + epsilon) * scale + bias
void normalise(const Moments& moments, double epsilon, float scale, float bias, const float* in, float* out,
    std::int64_t count)
{
    const double factor = static_cast<double>(scale) / std::sqrt(moments.variance + epsilon);
    const auto slope = static_cast<float>(factor);
    const auto shift = static_cast<float>(static_cast<double>(bias) - moments.mean * factor);
    for (std::int64_t i = 0; i < count; ++i) {
        out[i] = in[i] * slope + shift;
    }
}

std::vector<Array> batchNormalization(const KernelCall& call)
{
    const Planes planes = planesOf(call);
    const Array scale = perChannel(call, 1, planes.channels);
    const Array bias = perChannel(call, 2, planes.channels);
    const Array mean = perChannel(call, 3, planes.channels);
    const Array variance = perChannel(call, 4, planes.channels);
    const double epsilon = call.node.floatAttribute("epsilon", 1e-5);
    const double momentum = call.node.floatAttribute("momentum", 0.9);
    const bool training = call.node.intAttribute("training_mode", 0) != 0;
    const std::int64_t plane = planes.channels * planes.positions;
    Array y = call.make(DType::F32, planes.x.dims);
    Array runningMean = call.make(DType::F32, {planes.channels});
    Array runningVariance = call.make(DType::F32, {planes.channels});
    parallelFor(planes.channels, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t c = begin; c < end; ++c) {
            call.context.throwIfCancelled();
            const float* in = planes.x.f32() + c * planes.positions;
            Moments moments {static_cast<double>(mean.f32()[c]), static_cast<double>(variance.f32()[c])};
            if (training) {
                const Moments given = moments;
                moments = momentsOf(in, planes.batch, plane, planes.positions);
                runningMean.f32()[c]
                    = static_cast<float>(given.mean * momentum + moments.mean * (1.0 - momentum));
                runningVariance.f32()[c]
                    = static_cast<float>(given.variance * momentum + moments.variance * (1.0 - momentum));
            }
            for (std::int64_t b = 0; b < planes.batch; ++b) {
                normalise(moments, epsilon, scale.f32()[c], bias.f32()[c], in + b * plane,
                    y.f32() + c * planes.positions + b * plane, planes.positions);
            }
        }
    });
    return training ? std::vector<Array> {y, runningMean, runningVariance} : std::vector<Array> {y};
}

/// Groups of channels of each sample get mean 0 and variance 1, then each channel its scale and bias.
Array normaliseGroups(const KernelCall& call, const Planes& planes, std::int64_t groups)
{
    const Array scale = perChannel(call, 1, planes.channels);
    const Array bias = perChannel(call, 2, planes.channels);
    const double epsilon = call.node.floatAttribute("epsilon", 1e-5);
    const std::int64_t groupChannels = planes.channels / groups;
    const std::int64_t group = groupChannels * planes.positions;
    Array y = call.make(DType::F32, planes.x.dims);
    parallelFor(planes.batch * groups, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t item = begin; item < end; ++item) {
            call.context.throwIfCancelled();
            const Moments moments = momentsOf(planes.x.f32() + item * group, 1, group, group);
            for (std::int64_t c = 0; c < groupChannels; ++c) {
                const std::int64_t channel = item % groups * groupChannels + c;
                const std::int64_t offset = item * group + c * planes.positions;
                normalise(moments, epsilon, scale.f32()[channel], bias.f32()[channel],
                    planes.x.f32() + offset, y.f32() + offset, planes.positions);
            }
        }
    });
    return y;
}

std::vector<Array> instanceNormalization(const KernelCall& call)
{
    const Planes planes = planesOf(call);
    return {normaliseGroups(call, planes, std::max<std::int64_t>(1, planes.channels))};
}

std::vector<Array> groupNormalization(const KernelCall& call)
{
    const Planes planes = planesOf(call);
    const std::int64_t groups = call.node.intAttribute("num_groups", 0);
    if (groups < 1 || planes.channels % groups != 0) {
        call.fail(ErrorCode::ShapeMismatch,
            std::to_string(planes.channels) + " channels in " + std::to_string(groups) + " groups");
    }
    return {normaliseGroups(call, planes, groups)};
}

void checkBatchNormalization(const Node& node)
{
    const bool training = node.intAttribute("training_mode", 0) != 0;
    if (node.outputs.size() > (training ? 3U : 1U)) {
        throw Error(ErrorCode::Unsupported,
            "BatchNormalization '" + node.name + "': " + std::to_string(node.outputs.size()) + " outputs");
    }
}

} // namespace

void addChannelNormalizationKernels(KernelRegistry& registry)
{
    registry.add("BatchNormalization", {batchNormalization, checkBatchNormalization});
    registry.add("InstanceNormalization", {instanceNormalization});
    registry.add("GroupNormalization", {groupNormalization});
}

} // namespace qs
