#include "core/exporting/int8_form.h"

#include <algorithm>

namespace qs {

std::optional<Int8Form> int8FormOf(const QuantParams& params, std::string& problem)
{
    if (params.kind != QuantizerKind::Uniform) {
        problem
            = "is " + std::string(nameOf(params.kind)) + ", which integer codes with a scale cannot express";
        return std::nullopt;
    }
    if (!params.zeroPointFractions.empty()) {
        problem = "has a fractional zero point, as the published RepQ-ViT code leaves it: integers cannot express it";
        return std::nullopt;
    }
    if (params.bits > 8) {
        problem = "uses " + std::to_string(params.bits) + " bits, opset 17 quantizes to 8 at most";
        return std::nullopt;
    }
    const bool symmetric = params.symmetry == Symmetry::Symmetric;
    Int8Form form;
    form.shift = !symmetric && params.bits == 8 ? 128 : 0;
    form.minimum = form.stored(params.minimumCode());
    form.maximum = form.stored(params.maximumCode());
    // A symmetric 8-bit quantizer leaves -128 alone; a Clip for that one code would cost the runtime's
    // integer kernels.
    form.clipped = params.bits < 8;
    const auto outside = std::ranges::find_if(params.zeroPoints, [&](std::int32_t zeroPoint) {
        return form.stored(zeroPoint) < -128 || form.stored(zeroPoint) > 127;
    });
    if (outside != params.zeroPoints.end()) {
        problem = "has the zero point " + std::to_string(*outside) + ", outside its codes "
            + std::to_string(params.minimumCode()) + " to " + std::to_string(params.maximumCode())
            + " (its bounds do not hold 0)";
        return std::nullopt;
    }
    return form;
}

} // namespace qs
