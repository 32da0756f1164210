#pragma once

#include "core/graph/site.h"
#include "core/quant/plan.h"
#include "widgets/common/result_state.h"

#include <QString>

#include <optional>

namespace qs {

/// What the views show of one site: its place in the model, the user's choice and the last results. A value.
struct SiteRow
{
    QString name; ///< "blocks.3.attn.qkv.input"; unique
    QString block; ///< "blocks.3" or ""
    QString layer; ///< "blocks.3.attn.qkv": whose output suffers first
    Role role = Role::Other;
    SiteKind kind = SiteKind::Activation;
    GroupAxis groupAxis = GroupAxis::Channel;
    std::int64_t groups = 1; ///< channels, heads or output channels
    double shift = 0.0; ///< added to the values by a method (ActivationShift)
    SiteChoice choice;
    std::optional<double> sqnrDb; ///< of the site's own values under the choice
    std::optional<double> klNats; ///< sensitivity: KL of the logits with this site alone quantized, >= 0
    std::optional<double> milliseconds; ///< of the forward pass spent on the site, per sample
    ResultState state = ResultState::None; ///< of sqnrDb

    friend bool operator==(const SiteRow&, const SiteRow&) = default;
};

} // namespace qs
