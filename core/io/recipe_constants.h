#pragma once

#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <filesystem>
#include <map>
#include <string>

namespace qs {

/// The file beside a recipe that holds the constants its method rewrote: weights that lie on the grid of
/// their quantizer as integer codes, everything else as float32. Layout: resources/docs/formats.md "Constants
/// of a recipe". Written atomically; equal content gives equal bytes. Throws Error(Io).
void writeRecipeConstants(const std::map<std::string, RewrittenConstant>& constants,
    const ResolvedPlan& quantizers, const std::filesystem::path& path);

/// Reads them back bit for bit, codes through the quantizers of the recipe. Throws Error(Io | CorruptFile |
/// Unsupported) naming file and object.
[[nodiscard]] std::map<std::string, RewrittenConstant> readRecipeConstants(
    const ResolvedPlan& quantizers, const std::filesystem::path& path);

} // namespace qs
