#pragma once

#include "core/models/model.h"

#include <string>
#include <vector>

namespace qs {

/// One block of a transformer: what lies between two values of the residual stream.
struct BlockSection
{
    std::string name; ///< Site::block: "blocks.3"
    ValueId feed = kNoValue;
    ValueId fetch = kNoValue;
};

/// The blocks of a model in order, each fed by what the one before gives: from the last cut value
/// (cutValues()) before the first site of the block to the first behind its last. Empty for a graph without
/// named blocks, or one whose blocks are not separated by single values.
[[nodiscard]] std::vector<BlockSection> findBlockSections(const Model& model);

} // namespace qs
