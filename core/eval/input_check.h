#pragma once

#include "core/models/model.h"
#include "core/stats/site_statistics.h"

#include <array>
#include <optional>
#include <string>

namespace qs {

/// What a model's image input looks like over the calibration set, channel by channel.
struct InputCheck
{
    std::array<double, 3> mean {};
    std::array<double, 3> standardDeviation {};
    double minimum = 0.0; ///< over all channels
    double maximum = 0.0;
    bool fits = true;
    std::string sentence; ///< "" when it fits: what is wrong, what it looks like, what the model expects
};

/// Whether the calibration samples can have been prepared as the model's configuration says. Preparing is
/// undone with its mean and deviation: pixels of real pictures then lie within 0 and 1, use most of that
/// range, and are neither all dark nor all bright. A wrong mean or deviation breaks one of these, and the
/// usual wrong ones are tried to say which it may have been (our own test; thresholds in numerics.md).
/// nullopt for models without an image input, and when its statistics are not there.
[[nodiscard]] std::optional<InputCheck> checkInput(const Model& model, const Calibration& calibration);

} // namespace qs
