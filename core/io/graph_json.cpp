#include "core/io/graph_json.h"

#include "core/base/error.h"
#include "core/graph/graph_builder.h"

#include <nlohmann/json.hpp>

#include <array>
#include <map>
#include <type_traits>
#include <utility>
#include <vector>

namespace qs {

namespace {

using Json = nlohmann::json;
using Dims = std::vector<std::int64_t>;

constexpr std::array kTypes {DType::F32, DType::F16, DType::BF16, DType::F64, DType::I8, DType::U8,
    DType::I16, DType::U16, DType::I32, DType::U32, DType::I64, DType::U64, DType::Bool};

DType dtypeFromName(const std::string& name)
{
    for (const DType type : kTypes) {
        if (nameOf(type) == name) {
            return type;
        }
    }
    throw Error(ErrorCode::CorruptFile, "there is no element type '" + name + "'");
}

/// Small tensors only (the value of ConstantOfShape): F32 and I64, others refused on writing.
Json tensorToJson(const Node& node, const Tensor& tensor)
{
    Json object {{"type", "tensor"}, {"dtype", nameOf(tensor.dtype())}, {"dims", tensor.shape().dims()}};
    if (tensor.dtype() == DType::F32) {
        object["values"] = tensor.data<float>();
    } else if (tensor.dtype() == DType::I64) {
        object["values"] = tensor.data<std::int64_t>();
    } else {
        throw Error(ErrorCode::Unsupported,
            "node '" + node.name + "' (" + node.op + ") has a tensor attribute of "
                + std::string(nameOf(tensor.dtype())));
    }
    return object;
}

Json attributeToJson(const Node& node, const Attribute& attribute)
{
    return std::visit(
        [&](const auto& content) -> Json {
            using Content = std::decay_t<decltype(content)>;
            if constexpr (std::is_same_v<Content, std::int64_t>) {
                return {{"type", "int"}, {"value", content}};
            } else if constexpr (std::is_same_v<Content, double>) {
                return {{"type", "float"}, {"value", content}};
            } else if constexpr (std::is_same_v<Content, std::string>) {
                return {{"type", "string"}, {"value", content}};
            } else if constexpr (std::is_same_v<Content, Dims>) {
                return {{"type", "ints"}, {"value", content}};
            } else if constexpr (std::is_same_v<Content, std::vector<double>>) {
                return {{"type", "floats"}, {"value", content}};
            } else {
                return tensorToJson(node, content);
            }
        },
        attribute);
}

template<typename T>
Tensor tensorOf(const Json& object)
{
    const auto values = object.at("values").get<std::vector<T>>();
    return Tensor::of<T>(Shape(object.at("dims").get<Dims>()), std::span<const T>(values));
}

Attribute attributeFromJson(const Json& object)
{
    const auto type = object.at("type").get<std::string>();
    if (type == "int") {
        return object.at("value").get<std::int64_t>();
    }
    if (type == "float") {
        return object.at("value").get<double>();
    }
    if (type == "string") {
        return object.at("value").get<std::string>();
    }
    if (type == "ints") {
        return object.at("value").get<Dims>();
    }
    if (type == "floats") {
        return object.at("value").get<std::vector<double>>();
    }
    if (type != "tensor") {
        throw Error(ErrorCode::CorruptFile, "there is no attribute type '" + type + "'");
    }
    return dtypeFromName(object.at("dtype").get<std::string>()) == DType::I64 ? tensorOf<std::int64_t>(object)
                                                                              : tensorOf<float>(object);
}

Json valueToJson(const Value& value)
{
    return {{"name", value.name}, {"dtype", nameOf(value.dtype)}, {"dims", value.dims}};
}

/// Names of values, "" for an omitted input.
Json namesOf(const Graph& graph, const std::vector<ValueId>& values)
{
    Json names = Json::array();
    for (const ValueId value : values) {
        names.push_back(value == kNoValue ? std::string() : graph.value(value).name);
    }
    return names;
}

/// Adds the parts of a JSON graph to a builder.
class GraphReplay
{
public:
    explicit GraphReplay(const std::function<Tensor(const std::string&)>& constantOf)
        : m_constantOf(constantOf)
    {
    }

    std::shared_ptr<const Graph> build(const Json& root)
    {
        for (const Json& input : root.at("inputs")) {
            const auto name = input.at("name").get<std::string>();
            m_values[name] = m_builder.addInput(
                name, dtypeFromName(input.at("dtype").get<std::string>()), input.at("dims").get<Dims>());
        }
        for (const Json& constant : root.at("constants")) {
            const auto name = constant.get<std::string>();
            m_values[name] = m_builder.addConstant(name, m_constantOf(name));
        }
        for (const Json& node : root.at("nodes")) {
            addNode(node);
        }
        for (const Json& shape : root.at("shapes")) {
            m_builder.setDims(valueNamed(shape.at("name").get<std::string>()), shape.at("dims").get<Dims>(),
                dtypeFromName(shape.at("dtype").get<std::string>()));
        }
        for (const Json& output : root.at("outputs")) {
            m_builder.addOutput(valueNamed(output.get<std::string>()));
        }
        return m_builder.build();
    }

private:
    void addNode(const Json& node)
    {
        std::vector<ValueId> inputs;
        for (const Json& input : node.at("inputs")) {
            const auto name = input.get<std::string>();
            inputs.push_back(name.empty() ? kNoValue : valueNamed(name));
        }
        std::map<std::string, Attribute> attributes;
        for (const auto& [key, attribute] : node.at("attributes").items()) {
            attributes[key] = attributeFromJson(attribute);
        }
        const auto names = node.at("outputs").get<std::vector<std::string>>();
        const auto op = node.at("op").get<std::string>();
        const auto title = node.at("name").get<std::string>();
        if (names.empty()) {
            throw Error(ErrorCode::CorruptFile, "node '" + title + "' (" + op + ") has no output");
        }
        const auto outputs
            = m_builder.addNodeWithOutputs(op, title, std::move(inputs), names, std::move(attributes));
        for (std::size_t i = 0; i < names.size(); ++i) {
            m_values[names[i]] = outputs[i];
        }
    }

    [[nodiscard]] ValueId valueNamed(const std::string& name) const
    {
        const auto found = m_values.find(name);
        if (found == m_values.end()) {
            throw Error(ErrorCode::CorruptFile, "the graph reads '" + name + "', which nothing before makes");
        }
        return found->second;
    }

    const std::function<Tensor(const std::string&)>& m_constantOf;
    GraphBuilder m_builder;
    std::map<std::string, ValueId> m_values;
};

} // namespace

std::string graphToJson(const Graph& graph)
{
    Json root {{"inputs", Json::array()}, {"constants", Json::array()}, {"nodes", Json::array()},
        {"shapes", Json::array()}, {"outputs", namesOf(graph, graph.outputs())}};
    for (const ValueId input : graph.inputs()) {
        root["inputs"].push_back(valueToJson(graph.value(input)));
    }
    for (const Value& value : graph.values()) {
        if (value.isConstant()) {
            root["constants"].push_back(value.name);
        } else if (value.producer != kNoNode && value.dimsKnown) {
            root["shapes"].push_back(valueToJson(value));
        }
    }
    for (const Node& node : graph.nodes()) {
        Json attributes = Json::object();
        for (const auto& [key, attribute] : node.attributes) {
            attributes[key] = attributeToJson(node, attribute);
        }
        root["nodes"].push_back(
            {{"op", node.op}, {"name", node.name}, {"inputs", namesOf(graph, node.inputs)},
                {"outputs", namesOf(graph, node.outputs)}, {"attributes", std::move(attributes)}});
    }
    return root.dump();
}

std::shared_ptr<const Graph> graphFromJson(
    const std::string& text, const std::function<Tensor(const std::string& name)>& constantOf)
{
    const Json root = Json::parse(text, nullptr, false);
    if (root.is_discarded()) {
        throw Error(ErrorCode::CorruptFile, "the graph is no JSON");
    }
    try {
        return GraphReplay(constantOf).build(root);
    } catch (const Json::exception& error) {
        throw Error(ErrorCode::CorruptFile, std::string("the graph's JSON: ") + error.what());
    }
}

} // namespace qs
