#include "core/models/rewritten_model.h"

#include "core/base/error.h"
#include "core/graph/graph_edit.h"

namespace qs {

std::shared_ptr<const Model> withGraph(const Model& model, std::shared_ptr<const Graph> graph)
{
    auto result = std::make_shared<Model>(model);
    result->graph = std::move(graph);
    result->sites = findSites(*result->graph);
    return result;
}

std::shared_ptr<const Model> withConstants(const Model& model, const std::map<std::string, Tensor>& constants)
{
    GraphEdit edit(*model.graph);
    for (const auto& [name, values] : constants) {
        const auto id = model.graph->findValue(name);
        if (!id) {
            throw Error(ErrorCode::InvalidArgument, "the model has no constant named '" + name + "'");
        }
        edit.setConstant(*id, values);
    }
    return withGraph(model, edit.build());
}

} // namespace qs
