#pragma once

#include "core/quant/plan.h"

#include <QString>

#include <optional>
#include <vector>

namespace qs {

/// Ghosts shown at once: more than four cannot be told apart.
inline constexpr std::size_t kGhostLimit = 4;

/// Another quantizer that the user wants to see next to the one in the plan.
struct GhostChoice
{
    QString label; ///< "percentile"
    SiteChoice choice;

    friend bool operator==(const GhostChoice&, const GhostChoice&) = default;
};

/// What such a choice comes to on the values of the site.
struct GhostQuantizer
{
    QString label;
    QuantParams params;
    double sqnrDb = 0.0; ///< of the site's own values

    friend bool operator==(const GhostQuantizer&, const GhostQuantizer&) = default;
};

/// How it is drawn: a rail from bound to bound with its levels as ticks.
struct GhostRail
{
    QString text; ///< "percentile 13.2 dB"
    Bounds bounds;
    std::vector<double> levels; ///< ascending, tensor units; empty where channels differ

    friend bool operator==(const GhostRail&, const GhostRail&) = default;
};

} // namespace qs
