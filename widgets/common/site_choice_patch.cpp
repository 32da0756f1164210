#include "widgets/common/site_choice_patch.h"

namespace qs {

SiteChoice SiteChoicePatch::appliedTo(SiteChoice choice) const
{
    choice.enabled = enabled.value_or(choice.enabled);
    choice.kind = kind.value_or(choice.kind);
    choice.symmetry = symmetry.value_or(choice.symmetry);
    choice.granularity = granularity.value_or(choice.granularity);
    choice.bits = bits.value_or(choice.bits);
    choice.method = method.value_or(choice.method);
    return choice;
}

} // namespace qs
