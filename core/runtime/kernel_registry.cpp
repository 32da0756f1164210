#include "core/runtime/kernel_registry.h"

#include "core/base/error.h"
#include "core/runtime/cast_kernels.h"
#include "core/runtime/channel_normalization_kernels.h"
#include "core/runtime/convolution_kernels.h"
#include "core/runtime/elementwise_kernels.h"
#include "core/runtime/filling_kernels.h"
#include "core/runtime/indexing_kernels.h"
#include "core/runtime/integer_kernels.h"
#include "core/runtime/matmul_kernels.h"
#include "core/runtime/normalization_kernels.h"
#include "core/runtime/pooling_kernels.h"
#include "core/runtime/quantize_kernels.h"
#include "core/runtime/reduction_kernels.h"
#include "core/runtime/resize_kernels.h"
#include "core/runtime/rotary_kernels.h"
#include "core/runtime/scatter_kernels.h"
#include "core/runtime/shape_kernels.h"
#include "core/runtime/unary_kernels.h"

namespace qs {

const Array& KernelCall::input(std::size_t index) const
{
    if (!has(index)) {
        fail(ErrorCode::InvalidArgument, "input " + std::to_string(index) + " is missing");
    }
    return inputs[index];
}

Array KernelCall::denseF32(std::size_t index) const
{
    const Array& array = input(index);
    if (array.dtype != DType::F32) {
        fail(ErrorCode::Unsupported,
            "input " + std::to_string(index) + " is " + std::string(nameOf(array.dtype)) + ", not F32");
    }
    return contiguous(array, pool);
}

void KernelCall::fail(ErrorCode code, const std::string& what) const
{
    throw Error(code, node.op + " '" + node.name + "': " + what);
}

std::size_t KernelCall::axis(std::int64_t axis, std::size_t rank) const
{
    const auto signedRank = static_cast<std::int64_t>(rank);
    if (axis < -signedRank || axis >= signedRank) {
        fail(ErrorCode::InvalidArgument,
            "axis " + std::to_string(axis) + " of a tensor of rank " + std::to_string(rank));
    }
    return static_cast<std::size_t>(axis < 0 ? axis + signedRank : axis);
}

const KernelRegistry& KernelRegistry::instance()
{
    static const KernelRegistry registry = [] {
        KernelRegistry made;
        addConvolutionKernels(made);
        addElementwiseKernels(made);
        addIndexingKernels(made);
        addMatmulKernels(made);
        addNormalizationKernels(made);
        addQuantizeKernels(made);
        addReductionKernels(made);
        addScatterKernels(made);
        addShapeKernels(made);
        addCastKernels(made);
        addChannelNormalizationKernels(made);
        addFillingKernels(made);
        addIntegerKernels(made);
        addPoolingKernels(made);
        addResizeKernels(made);
        addRotaryKernels(made);
        addUnaryKernels(made);
        return made;
    }();
    return registry;
}

const KernelEntry* KernelRegistry::find(std::string_view op) const
{
    const auto it = m_entries.find(op);
    return it == m_entries.end() ? nullptr : &it->second;
}

const KernelEntry& KernelRegistry::requireSupported(const Node& node) const
{
    const KernelEntry* kernel = find(node.op);
    if (kernel == nullptr) {
        throw Error(
            ErrorCode::Unsupported, "operator " + node.op + " of node '" + node.name + "' is not supported");
    }
    if (kernel->check != nullptr) {
        kernel->check(node);
    }
    return *kernel;
}

std::vector<std::string> KernelRegistry::operators() const
{
    std::vector<std::string> names;
    for (const auto& [op, entry] : m_entries) {
        names.push_back(op);
    }
    return names;
}

} // namespace qs
