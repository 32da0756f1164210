#include "core/quant/rewriting.h"

#include "core/models/rewritten_model.h"

namespace qs {

std::shared_ptr<const Model> rewritten(std::shared_ptr<const Model> model, const Rewriting& rewriting)
{
    if (!rewriting.shifts.empty()) {
        model = shifted(*model, rewriting.shifts);
    }
    if (!rewriting.reparameterizations.empty()) {
        model = reparameterized(*model, rewriting.reparameterizations);
    }
    if (!rewriting.constants.empty()) {
        std::map<std::string, Tensor> constants;
        for (const auto& [name, constant] : rewriting.constants) {
            constants[name] = constant.values;
        }
        model = withConstants(*model, constants);
    }
    return model;
}

} // namespace qs
