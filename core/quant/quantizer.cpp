#include "core/quant/quantizer.h"

namespace qs {

std::int32_t QuantParams::minimumCode() const
{
    const bool isSigned = kind == QuantizerKind::Uniform && symmetry == Symmetry::Symmetric;
    return isSigned ? -maximumCode() : 0;
}

std::int32_t QuantParams::maximumCode() const
{
    const bool isSigned = kind == QuantizerKind::Uniform && symmetry == Symmetry::Symmetric;
    return (std::int32_t {1} << (isSigned ? bits - 1 : bits)) - 1;
}

std::string_view nameOf(QuantizerKind kind)
{
    switch (kind) {
    case QuantizerKind::Uniform: return "uniform";
    case QuantizerKind::Log2: return "log2";
    case QuantizerKind::LogSqrt2: return "log-sqrt2";
    case QuantizerKind::AdaLog: return "adalog";
    }
    return "unknown";
}

std::string_view nameOf(Symmetry symmetry)
{
    switch (symmetry) {
    case Symmetry::Asymmetric: return "asymmetric";
    case Symmetry::Symmetric: return "symmetric";
    }
    return "unknown";
}

std::string_view nameOf(Granularity granularity)
{
    switch (granularity) {
    case Granularity::Tensor: return "tensor";
    case Granularity::Group: return "group";
    }
    return "unknown";
}

std::string_view nameOf(BoundMethod method)
{
    switch (method) {
    case BoundMethod::MinMax: return "min-max";
    case BoundMethod::Percentile: return "percentile";
    case BoundMethod::Mse: return "mse";
    case BoundMethod::Kl: return "kl";
    case BoundMethod::Manual: return "manual";
    }
    return "unknown";
}

} // namespace qs
