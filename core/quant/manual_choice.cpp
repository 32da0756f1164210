#include "core/quant/manual_choice.h"

namespace qs {

SiteChoice manualChoice(const QuantParams& params)
{
    SiteChoice choice;
    choice.enabled = true;
    choice.kind = params.kind;
    choice.symmetry = params.symmetry;
    choice.granularity = params.granularity;
    choice.bits = params.bits;
    choice.method = BoundMethod::Manual;
    choice.manualBounds = params.bounds;
    return choice;
}

} // namespace qs
