#include "core/models/model_task.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/models/config_reader.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace qs {

namespace {

bool isInteger(DType type)
{
    return type == DType::I64 || type == DType::I32;
}

bool hasTokenTypes(const Graph& graph)
{
    return std::ranges::any_of(graph.inputs(), [&](ValueId id) {
        const std::string& name = graph.value(id).name;
        return name.find("token_type") != std::string::npos || name.find("segment_ids") != std::string::npos;
    });
}

} // namespace

std::optional<std::int64_t> vocabularyOf(const Graph& graph)
{
    if (graph.inputs().empty() || !isInteger(graph.value(graph.inputs().front()).dtype)) {
        return std::nullopt;
    }
    constexpr std::array<std::string_view, 4> kPassing {"Cast", "Reshape", "Unsqueeze", "Identity"};
    std::vector<ValueId> open {graph.inputs().front()}; // the ids, also under another type or shape
    for (std::size_t next = 0; next < open.size(); ++next) {
        for (const NodeId id : graph.value(open[next]).consumers) {
            const Node& node = graph.node(id);
            if (node.op == "Gather" && node.inputs.size() == 2 && node.inputs[1] == open[next]
                && node.intAttribute("axis", 0) == 0) {
                const Value& table = graph.value(node.inputs[0]);
                if (table.isConstant() && table.constant.shape().rank() == 2) {
                    return table.constant.shape()[0];
                }
            } else if (std::ranges::find(kPassing, node.op) != kPassing.end()
                && node.inputs.front() == open[next]) {
                open.push_back(node.outputs.front());
            }
        }
    }
    return std::nullopt;
}

ModelTask taskOf(const Graph& graph)
{
    if (graph.inputs().empty() || graph.outputs().empty()) {
        return ModelTask::Features;
    }
    const Value& input = graph.value(graph.inputs().front());
    const Value& output = graph.value(graph.outputs().front());
    if (!output.dimsKnown || output.dims.size() == 2) {
        return ModelTask::Classification;
    }
    const bool fromTokens = isInteger(input.dtype) && input.dimsKnown && input.dims.size() == 2;
    if (fromTokens && output.dims.size() == 3 && !hasTokenTypes(graph)) {
        const std::int64_t classes = output.dims.back();
        const std::optional<std::int64_t> vocabulary = vocabularyOf(graph);
        if (!vocabulary || classes < 0 || *vocabulary == classes) {
            return ModelTask::LanguageModel;
        }
    }
    return ModelTask::Features;
}

std::filesystem::path folderOf(const Model& model)
{
    std::error_code ignored;
    if (std::filesystem::is_directory(model.path, ignored)) {
        return model.path;
    }
    return model.path.has_parent_path() ? model.path.parent_path() : ".";
}

std::int64_t mostTokensOf(const Model& model)
{
    const std::filesystem::path file = folderOf(model) / "config.json";
    std::error_code ignored;
    if (model.path.empty() || !std::filesystem::exists(file, ignored)) {
        return 0;
    }
    const ConfigReader config(file);
    for (const char* key : {"max_position_embeddings", "n_positions", "n_ctx"}) {
        if (const auto tokens = config.size(key)) {
            return *tokens;
        }
    }
    return 0;
}

std::vector<std::string> classNamesOf(const Model& model, std::int64_t classes)
{
    const std::filesystem::path list = folderOf(model) / "labels.txt";
    std::error_code ignored;
    if (model.path.empty() || !std::filesystem::exists(list, ignored)) {
        return {};
    }
    const std::shared_ptr<const MappedFile> file = MappedFile::open(list);
    const std::string_view text(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
    std::vector<std::string> names;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        std::string_view line = text.substr(start, end - start);
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) {
            line.remove_suffix(1);
        }
        if (!line.empty()) {
            names.emplace_back(line);
        }
        start = end + 1;
    }
    if (classes > 0 && static_cast<std::int64_t>(names.size()) != classes) {
        throw Error(ErrorCode::CorruptFile,
            "'" + list.string() + "' names " + std::to_string(names.size()) + " classes, the model has "
                + std::to_string(classes));
    }
    return names;
}

} // namespace qs
