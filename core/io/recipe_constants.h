#pragma once

#include "core/quant/resolve.h"
#include "core/quant/rewriting.h"

#include <filesystem>
#include <map>
#include <string>

namespace qs {

class Hdf5File;

/// The file beside a recipe that holds the constants its method rewrote: weights that lie on the grid of
/// their quantizer as integer codes, everything else as float32. Layout: resources/docs/formats.md "Constants
/// of a recipe". Written atomically; equal content gives equal bytes. Throws Error(Io).
void writeRecipeConstants(const std::map<std::string, RewrittenConstant>& constants,
    const ResolvedPlan& quantizers, const std::filesystem::path& path);

/// Reads them back bit for bit, codes through the quantizers of the recipe. Throws Error(Io | CorruptFile |
/// Unsupported) naming file and object.
[[nodiscard]] std::map<std::string, RewrittenConstant> readRecipeConstants(
    const ResolvedPlan& quantizers, const std::filesystem::path& path);

/// The same in a group ("/forms/0/constants") of a larger file that is being written. Subgroups "codes" and
/// "values".
void writeConstants(Hdf5File& file, const std::string& group,
    const std::map<std::string, RewrittenConstant>& constants, const ResolvedPlan& quantizers);
/// `subject` is the file's name, for sentences. Throws Error as readRecipeConstants() does.
[[nodiscard]] std::map<std::string, RewrittenConstant> readConstants(const Hdf5File& file,
    const std::string& group, const ResolvedPlan& quantizers, const std::string& subject);

} // namespace qs
