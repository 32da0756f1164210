#pragma once

#include "core/graph/graph_builder.h"
#include "core/io/onnx_opset.h"

#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace onnx {
class AttributeProto;
class GraphProto;
class ModelProto;
class NodeProto;
class ValueInfoProto;
} // namespace onnx

namespace qs {

/// Turns a parsed model into a Graph; takes the tensors' bytes out of the message on the way. Used once.
/// Errors name tensor or node, not the file.
class OnnxGraphConverter
{
public:
    /// `folder`: where external data may lie.
    OnnxGraphConverter(onnx::ModelProto& model, std::filesystem::path folder);

    /// Throws Error(CorruptFile | Unsupported | Io).
    [[nodiscard]] std::shared_ptr<const Graph> convert();
    /// Version of the default domain. Throws Error(CorruptFile) when the model imports none.
    [[nodiscard]] std::int64_t opset() const { return m_opset; }

private:
    void addInitializers();
    void addInputs();
    void addNode(onnx::NodeProto& node);
    void addConstantNode(onnx::NodeProto& node, const std::string& name);
    void addOutputs();
    void recordShape(const onnx::ValueInfoProto& info);
    [[nodiscard]] std::map<std::string, Attribute> attributesOf(
        onnx::NodeProto& node, const std::string& name);
    [[nodiscard]] Attribute attributeFrom(onnx::AttributeProto& attribute, const std::string& where);
    [[nodiscard]] ValueId valueNamed(const std::string& name, const std::string& where) const;
    [[nodiscard]] std::string uniqueNodeName(const onnx::NodeProto& node);
    /// Remembers element types that are held in another one of ours (4-bit integers, 8-bit floats).
    void noteElementType(const std::string& value, int dataType);
    /// A quantizer whose zero point is of such a type says so in its attribute output_dtype.
    void noteCodeType(const onnx::NodeProto& node, OnnxNodeDraft& draft) const;
    void nameOutputs(const std::vector<std::string>& names, const std::vector<ValueId>& values);

    onnx::ModelProto& m_model;
    std::filesystem::path m_folder;
    std::int64_t m_opset = 0;
    GraphBuilder m_builder;
    std::unordered_map<std::string, ValueId> m_values; ///< by ONNX name
    std::unordered_map<std::string, int> m_narrowTypes; ///< TensorProto data type by ONNX name
    std::unordered_set<std::string> m_nodeNames;
    std::unordered_map<std::string, int> m_repetitions; ///< last number given to a repeated name
};

} // namespace qs
