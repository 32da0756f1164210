#pragma once

#include "core/tensor/tensor.h"

#include <cmath>

namespace qs::test {

/// Root of the summed squares of b - a over those of a; float32 tensors of the same size.
inline double relativeDifference(const Tensor& a, const Tensor& b)
{
    double noise = 0.0;
    double signal = 0.0;
    for (std::size_t i = 0; i < a.data<float>().size(); ++i) {
        const double e = static_cast<double>(a.data<float>()[i]);
        noise += std::pow(static_cast<double>(b.data<float>()[i]) - e, 2);
        signal += e * e;
    }
    return std::sqrt(noise / signal);
}

} // namespace qs::test
