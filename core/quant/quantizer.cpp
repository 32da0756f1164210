#include "core/quant/quantizer.h"

namespace qs {

std::int32_t QuantParams::minimumCode() const
{
    const bool isSigned = kind == QuantizerKind::Uniform && symmetry == Symmetry::Symmetric;
    return isSigned ? -((1 << (bits - 1)) - 1) : 0;
}

std::int32_t QuantParams::maximumCode() const
{
    const bool isSigned = kind == QuantizerKind::Uniform && symmetry == Symmetry::Symmetric;
    return isSigned ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
}

std::string_view nameOf(QuantizerKind kind)
{
    switch (kind) {
    case QuantizerKind::Uniform: return "uniform";
    case QuantizerKind::Log2: return "log2";
    case QuantizerKind::LogSqrt2: return "log-sqrt2";
    }
    return "uniform";
}

std::string_view nameOf(Symmetry symmetry)
{
    return symmetry == Symmetry::Symmetric ? "symmetric" : "asymmetric";
}

std::string_view nameOf(Granularity granularity)
{
    return granularity == Granularity::Group ? "group" : "tensor";
}

std::string_view nameOf(BoundMethod method)
{
    switch (method) {
    case BoundMethod::MinMax: return "min-max";
    case BoundMethod::Percentile: return "percentile";
    case BoundMethod::Mse: return "mse";
    case BoundMethod::Manual: return "manual";
    }
    return "min-max";
}

} // namespace qs
