#pragma once

#include "core/quant/activation_shift.h"
#include "core/quant/reparameterization.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// New values of one constant.
struct RewrittenConstant
{
    Tensor values; ///< F32, of the constant's shape
    std::string site; ///< weight site it belongs to; "" for others
    int channelAxis = 0; ///< of a weight: the dimension of its output channels
};

/// What a method did to a model besides choosing quantizers: first the shifts, then the reparameterizations,
/// then constants by name (which may be ones that those made). A weight whose values already lie on its
/// quantizer's grid is quantized again to itself.
struct Rewriting
{
    std::vector<ActivationShift> shifts;
    std::vector<Reparameterization> reparameterizations;
    std::map<std::string, RewrittenConstant> constants;

    [[nodiscard]] bool isEmpty() const
    {
        return shifts.empty() && reparameterizations.empty() && constants.empty();
    }
};

/// The model after the rewriting; the model itself when there is nothing to do. Throws Error as
/// shifted(), reparameterized() and withConstants() do.
[[nodiscard]] std::shared_ptr<const Model> rewritten(
    std::shared_ptr<const Model> model, const Rewriting& rewriting);

} // namespace qs
