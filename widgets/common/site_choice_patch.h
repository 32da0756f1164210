#pragma once

#include "core/quant/plan.h"

#include <QMetaType>

#include <optional>

namespace qs {

/// One edit of the user for one or many sites: only the fields that hold a value change, so that an edit of
/// the bits of ten sites leaves their ten different quantizers alone.
struct SiteChoicePatch
{
    std::optional<bool> enabled {};
    std::optional<QuantizerKind> kind {};
    std::optional<Symmetry> symmetry {};
    std::optional<Granularity> granularity {};
    std::optional<int> bits {}; ///< kMinBits .. kMaxBits
    std::optional<BoundMethod> method {};

    [[nodiscard]] bool isEmpty() const { return *this == SiteChoicePatch {}; }
    /// The choice with the fields of this patch in place of its own. Choosing a method other than Manual
    /// keeps the manual bounds: they are remembered, not used.
    [[nodiscard]] SiteChoice appliedTo(SiteChoice choice) const;

    friend bool operator==(const SiteChoicePatch&, const SiteChoicePatch&) = default;
};

} // namespace qs

Q_DECLARE_METATYPE(qs::SiteChoicePatch)
