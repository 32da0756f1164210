#include "app/cli/commands.h"
#include "core/graph/recognition.h"
#include "core/models/model.h"
#include "core/quant/plan.h"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <iostream>
#include <memory>

namespace qs {

namespace {

struct InspectArguments
{
    std::string model;
    bool json = false;
};

nlohmann::json valueJson(const Value& value)
{
    return {{"name", value.name}, {"dtype", nameOf(value.dtype)}, {"shape", value.dims}};
}

nlohmann::json describe(const Model& model)
{
    nlohmann::json inputs = nlohmann::json::array();
    for (const ValueId id : model.graph->inputs()) {
        inputs.push_back(valueJson(model.graph->value(id)));
    }
    nlohmann::json outputs = nlohmann::json::array();
    for (const ValueId id : model.graph->outputs()) {
        outputs.push_back(valueJson(model.graph->value(id)));
    }
    nlohmann::json sites = nlohmann::json::array();
    for (const Site& site : model.sites) {
        sites.push_back({{"name", site.name}, {"layer", site.layer}, {"block", site.block},
            {"kind", site.kind == SiteKind::Weight ? "weight" : "activation"}, {"role", nameOf(site.role)},
            {"groups", site.groups}, {"group_axis", site.groupAxis == GroupAxis::Head ? "head" : "channel"},
            {"shape", model.graph->value(site.value).dims}});
    }
    const RecognisedCounts counts = countRecognised(*model.graph);
    const nlohmann::json recognised {{"normalizations", counts.normalizations},
        {"activations", counts.activations}, {"softmaxes", counts.softmaxes},
        {"attentions", counts.attentions}, {"linears", counts.linears}};
    const std::size_t quantizers = model.startingPlan == nullptr ? 0 : model.startingPlan->choices.size();
    return {{"recognised", recognised}, {"quantizers", quantizers}, {"name", model.name},
        {"path", model.path.string()}, {"hash", model.hash}, {"parameters", model.graph->parameterCount()},
        {"nodes", model.graph->nodes().size()}, {"inputs", inputs}, {"outputs", outputs}, {"sites", sites}};
}

std::string dimsText(const nlohmann::json& dims)
{
    std::string text;
    for (const auto& dim : dims) {
        const auto size = dim.get<std::int64_t>();
        text += (text.empty() ? "" : " x ") + (size < 0 ? std::string("N") : std::to_string(size));
    }
    return text;
}

void print(const nlohmann::json& model)
{
    std::cout << "model       " << model["name"].get<std::string>() << '\n'
              << "parameters  " << model["parameters"] << '\n'
              << "hash        " << model["hash"].get<std::string>() << '\n';
    for (const char* end : {"inputs", "outputs"}) {
        for (const auto& value : model[end]) {
            std::cout << (std::string(end) == "inputs" ? "input       " : "output      ")
                      << value["name"].get<std::string>() << "  " << dimsText(value["shape"]) << '\n';
        }
    }
    const auto& found = model["recognised"];
    std::cout << "recognised  " << found["normalizations"] << " normalizations, " << found["activations"]
              << " activation functions, " << found["softmaxes"] << " softmaxes, " << found["attentions"]
              << " attentions, " << found["linears"] << " linears\n";
    if (model["quantizers"] != 0) {
        std::cout << "quantizers  " << model["quantizers"] << " came with the file\n";
    }
    std::cout << "sites       " << model["sites"].size() << "\n\n";
    std::printf("%-44s %-10s %-16s %8s  %s\n", "site", "kind", "role", "groups", "shape");
    for (const auto& site : model["sites"]) {
        std::printf("%-44s %-10s %-16s %8lld  %s\n", site["name"].get_ref<const std::string&>().c_str(),
            site["kind"].get_ref<const std::string&>().c_str(),
            site["role"].get_ref<const std::string&>().c_str(),
            static_cast<long long>(site["groups"].get<std::int64_t>()), dimsText(site["shape"]).c_str());
    }
}

} // namespace

void declareInspect(CLI::App& app, CommandAction& action)
{
    auto arguments = std::make_shared<InspectArguments>();
    CLI::App* command = app.add_subcommand("inspect", "Show a model's inputs, outputs and sites");
    command->add_option("MODEL", arguments->model, "Model directory, .onnx or .h5 file")->required();
    command->add_flag("--json", arguments->json, "Print one JSON object");
    command->callback([arguments, &action] {
        action = [arguments](Console&) {
            const auto model = loadModel(arguments->model);
            const nlohmann::json description = describe(*model);
            if (arguments->json) {
                std::cout << description.dump(1) << '\n';
            } else {
                print(description);
            }
            return 0;
        };
    });
}

} // namespace qs
