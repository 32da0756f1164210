#include "core/runtime/input_tensor.h"

#include "core/base/error.h"
#include "core/runtime/array.h"
#include "core/runtime/dtype_dispatch.h"

#include <limits>
#include <string>
#include <utility>

namespace qs {

namespace {

bool isFloating(DType type)
{
    return type == DType::F32 || type == DType::F16 || type == DType::BF16 || type == DType::F64;
}

template<typename From, typename To>
void convert(const Value& input, const From* source, Tensor& target)
{
    auto* out = reinterpret_cast<To*>(const_cast<std::byte*>(target.bytes()));
    for (std::int64_t i = 0; i < target.elementCount(); ++i) {
        if (target.dtype() == DType::Bool) {
            out[i] = static_cast<To>(source[i] != From {0} ? 1 : 0);
            continue;
        }
        if (!std::in_range<To>(source[i])) {
            throw Error(ErrorCode::InvalidArgument,
                "input '" + input.name + "' takes " + std::string(nameOf(target.dtype()))
                    + ", which does not hold " + std::to_string(source[i]));
        }
        out[i] = static_cast<To>(source[i]);
    }
}

} // namespace

Tensor inputTensor(const Value& input, const Tensor& given)
{
    if (isFloating(input.dtype)) {
        return given.toF32();
    }
    if (given.dtype() == input.dtype) {
        return given;
    }
    if (isFloating(given.dtype())) {
        throw Error(ErrorCode::InvalidArgument,
            "input '" + input.name + "' takes " + std::string(nameOf(input.dtype)) + ", not "
                + std::string(nameOf(given.dtype())));
    }
    const Array source = Array::of(given); // aligned
    Tensor result(input.dtype, given.shape());
    dispatchByType(source.dtype, [&]<typename From>(From) {
        dispatchByType(input.dtype, [&]<typename To>(To) {
            if constexpr (std::is_integral_v<From> && std::is_integral_v<To>) {
                convert<From, To>(input, source.as<const From>(), result);
            }
        });
    });
    return result;
}

} // namespace qs
