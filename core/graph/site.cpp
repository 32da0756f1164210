#include "core/graph/site.h"

#include <algorithm>

namespace qs {

std::string_view nameOf(Role role)
{
    switch (role) {
    case Role::PatchEmbedding: return "patch-embedding";
    case Role::PostNormQkv: return "post-norm-qkv";
    case Role::Query: return "query";
    case Role::Key: return "key";
    case Role::Softmax: return "softmax";
    case Role::Value: return "value";
    case Role::Projection: return "projection";
    case Role::PostNormFc1: return "post-norm-fc1";
    case Role::PostGeluFc2: return "post-gelu-fc2";
    case Role::Head: return "head";
    case Role::FrontEnd: return "front-end";
    case Role::Other: return "other";
    }
    return "other";
}

int indexOfSite(const std::vector<Site>& sites, std::string_view name)
{
    const auto it = std::ranges::find(sites, name, &Site::name);
    return it == sites.end() ? -1 : static_cast<int>(it - sites.begin());
}

} // namespace qs
