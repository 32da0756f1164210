#pragma once

#include "core/runtime/kernel_registry.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace qs {

/// A window that slides over up to three spatial dimensions: of a pooling or a convolution. Fewer dimensions
/// are seen as three whose first ones have size and window 1.
struct Window
{
    static constexpr std::size_t kSpatial = 3;
    using Sizes = std::array<std::int64_t, kSpatial>;

    std::size_t spatial = 0; ///< dimensions there really are; they are the last ones
    Sizes size {1, 1, 1}; ///< of the input
    Sizes kernel {1, 1, 1};
    Sizes stride {1, 1, 1};
    Sizes dilation {1, 1, 1};
    Sizes padBegin {0, 0, 0};
    Sizes padEnd {0, 0, 0};
    Sizes result {1, 1, 1}; ///< positions of the window

    [[nodiscard]] std::int64_t positions() const { return result[0] * result[1] * result[2]; }
    [[nodiscard]] std::int64_t inputSize() const { return size[0] * size[1] * size[2]; }
    /// Input dims [batch, channels] and the spatial dims of the result.
    [[nodiscard]] Dims resultDims(std::int64_t batch, std::int64_t channels) const;
    /// Calls body(kernel position, input offset) for the elements of the window at one position that lie
    /// inside the input, in row-major order.
    template<typename Body>
    void forEachInside(std::int64_t position, const Body& body) const;
    /// Elements of the window at one position that lie inside the padded input.
    [[nodiscard]] std::int64_t countWithPadding(std::int64_t position) const;
};

/// The window of a node with the attributes strides, dilations, pads, auto_pad and ceil_mode, over an input
/// [batch, channels, spatial...]. kernel: one entry per spatial dimension. Throws Error(InvalidArgument |
/// Unsupported | ShapeMismatch) naming the node.
[[nodiscard]] Window windowOf(const KernelCall& call, const Array& x, const Dims& kernel);

template<typename Body>
void Window::forEachInside(std::int64_t position, const Body& body) const
{
    const Sizes first {position / (result[1] * result[2]) * stride[0] - padBegin[0],
        position / result[2] % result[1] * stride[1] - padBegin[1],
        position % result[2] * stride[2] - padBegin[2]};
    std::int64_t at = 0;
    for (std::int64_t i = 0; i < kernel[0]; ++i) {
        const std::int64_t z = first[0] + i * dilation[0];
        for (std::int64_t j = 0; j < kernel[1]; ++j) {
            const std::int64_t y = first[1] + j * dilation[1];
            for (std::int64_t k = 0; k < kernel[2]; ++k, ++at) {
                const std::int64_t x = first[2] + k * dilation[2];
                if (z >= 0 && z < size[0] && y >= 0 && y < size[1] && x >= 0 && x < size[2]) {
                    body(at, (z * size[1] + y) * size[2] + x);
                }
            }
        }
    }
}

} // namespace qs
