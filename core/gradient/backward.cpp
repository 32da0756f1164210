#include "core/gradient/backward.h"

#include "core/gradient/backward_families.h"

namespace qs {

Backward backwardOf(std::string_view op)
{
    static const BackwardTable table = [] {
        BackwardTable all;
        addProductBackwards(all);
        addNormalizationBackwards(all);
        addElementwiseBackwards(all);
        addViewBackwards(all);
        return all;
    }();
    const auto it = table.find(op);
    return it == table.end() ? nullptr : it->second;
}

} // namespace qs
