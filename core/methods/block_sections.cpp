#include "core/methods/block_sections.h"

#include "core/graph/cut_values.h"

#include <algorithm>

namespace qs {

namespace {

struct Extent
{
    std::string name;
    NodeId first = kNoNode; ///< producer of the block's first site
    NodeId last = kNoNode; ///< last node that reads one
};

std::vector<Extent> extents(const Model& model)
{
    std::vector<Extent> blocks;
    for (const Site& site : model.sites) {
        if (site.block.empty() || site.readers.empty()) {
            continue;
        }
        if (blocks.empty() || blocks.back().name != site.block) {
            const NodeId producer = model.graph->value(site.value).producer;
            blocks.push_back(
                {site.block, producer == kNoNode ? site.readers.front().first : producer, kNoNode});
        }
        for (const auto& reader : site.readers) {
            blocks.back().last = std::max(blocks.back().last, reader.first);
        }
    }
    return blocks;
}

} // namespace

std::vector<BlockSection> findBlockSections(const Model& model)
{
    const std::vector<CutValue> cuts = cutValues(*model.graph);
    std::vector<BlockSection> sections;
    for (const Extent& block : extents(model)) {
        const auto end
            = std::ranges::find_if(cuts, [&](const CutValue& cut) { return cut.producer >= block.last; });
        ValueId feed = kNoValue;
        if (!sections.empty()) {
            feed = sections.back().fetch;
        } else {
            for (const CutValue& cut : cuts) {
                feed = cut.producer < block.first ? cut.value : feed;
            }
        }
        if (end == cuts.end() || feed == kNoValue || feed == end->value) {
            return {};
        }
        sections.push_back({block.name, feed, end->value});
    }
    return sections;
}

} // namespace qs
