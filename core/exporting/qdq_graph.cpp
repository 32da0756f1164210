#include "core/exporting/qdq_graph.h"

#include "core/base/error.h"
#include "core/exporting/int8_form.h"
#include "core/exporting/onnx_lowering.h"
#include "core/quant/ada_log.h"
#include "core/quant/fake_quantizer.h"

#include <cmath>
#include <numbers>
#include <utility>

namespace qs {

namespace {

constexpr std::int64_t kOnnxInt32 = 6; ///< TensorProto.INT32, for Cast
constexpr std::int64_t kHeadAxis = 1; ///< q, k, v and attention probabilities are [batch, heads, ...]

Int8Form requireForm(const Site& site, const QuantParams& params)
{
    std::string problem;
    const auto form = int8FormOf(params, problem);
    if (!form) {
        throw Error(ErrorCode::Unsupported, "site '" + site.name + "' " + problem);
    }
    return *form;
}

std::vector<std::int32_t> storedZeroPoints(const QuantParams& params, const Int8Form& form)
{
    std::vector<std::int32_t> stored;
    for (const std::int32_t zeroPoint : params.zeroPoints) {
        stored.push_back(form.stored(zeroPoint));
    }
    return stored;
}

Shape shapeOfGroups(std::size_t groups)
{
    return groups == 1 ? Shape {} : Shape {static_cast<std::int64_t>(groups)};
}

template<typename T>
std::vector<T> transposedCodes(const std::vector<T>& codes, std::int64_t rows, std::int64_t columns)
{
    std::vector<T> result(codes.size());
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::int64_t column = 0; column < columns; ++column) {
            result[static_cast<std::size_t>(column * rows + row)]
                = codes[static_cast<std::size_t>(row * columns + column)];
        }
    }
    return result;
}

} // namespace

QdqGraphBuilder::QdqGraphBuilder(
    const Graph& graph, const std::vector<Site>& sites, const ResolvedPlan& quantizers)
    : m_graph(graph)
    , m_sites(sites)
    , m_quantizers(quantizers)
    , m_raw(graph.values().size(), kNoValue)
{
    for (const Site& site : m_sites) {
        if (m_quantizers.contains(site.name)) {
            for (const auto& reader : site.readers) {
                m_readers[reader] = &site;
            }
        }
    }
}

std::shared_ptr<const Graph> QdqGraphBuilder::build()
{
    for (const ValueId input : m_graph.inputs()) {
        const Value& value = m_graph.value(input);
        m_raw[static_cast<std::size_t>(input)] = m_builder.addInput(value.name, value.dtype, value.dims);
    }
    for (NodeId id = 0; static_cast<std::size_t>(id) < m_graph.nodes().size(); ++id) {
        addNode(m_graph.node(id), id);
    }
    for (const ValueId output : m_graph.outputs()) {
        const Value& value = m_graph.value(output);
        const ValueId made = value.isConstant() ? plainConstant(output, Layout::AsStored)
                                                : m_raw[static_cast<std::size_t>(output)];
        if (value.dimsKnown && !value.isConstant()) {
            m_builder.setDims(made, value.dims, value.dtype);
        }
        m_builder.addOutput(made);
    }
    return m_builder.build();
}

void QdqGraphBuilder::addNode(const Node& node, NodeId id)
{
    if (const ValueId lowered = lower(node, id); lowered != kNoValue) {
        m_raw[static_cast<std::size_t>(node.outputs.front())] = lowered;
        return;
    }
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        inputs.push_back(inputOf(id, static_cast<int>(i)));
    }
    std::vector<std::string> names;
    for (const ValueId output : node.outputs) {
        names.push_back(m_graph.value(output).name);
    }
    const auto outputs = m_builder.addNodeWithOutputs(
        node.op, node.name, std::move(inputs), std::move(names), node.attributes);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        m_raw[static_cast<std::size_t>(node.outputs[i])] = outputs[i];
    }
}

ValueId QdqGraphBuilder::lower(const Node& node, NodeId id)
{
    const auto outputName = [&] { return m_graph.value(node.outputs.front()).name; };
    if (node.op == "Linear") {
        const ValueId x = inputOf(id, 0);
        const ValueId weight = linearWeight(node, id);
        const ValueId bias = node.inputs.size() > 2 ? inputOf(id, 2) : kNoValue;
        return lowerLinear(m_builder, node, x, weight, bias, outputName());
    }
    if (node.op == "Gelu") {
        return lowerGelu(m_builder, node, inputOf(id, 0), outputName());
    }
    if (node.op == "RMSNormalization") {
        const ValueId x = inputOf(id, 0);
        return lowerRmsNormalization(m_builder, node, x, inputOf(id, 1), outputName());
    }
    return node.op == "Swish" ? lowerSwish(m_builder, node, inputOf(id, 0), outputName()) : kNoValue;
}

ValueId QdqGraphBuilder::inputOf(NodeId id, int index)
{
    const ValueId original = m_graph.node(id).inputs[static_cast<std::size_t>(index)];
    if (original == kNoValue) {
        return kNoValue;
    }
    const auto reader = m_readers.find({id, index});
    if (reader == m_readers.end()) {
        return m_graph.value(original).isConstant() ? plainConstant(original, Layout::AsStored)
                                                    : m_raw[static_cast<std::size_t>(original)];
    }
    const Site& site = *reader->second;
    const QuantParams& params = m_quantizers.at(site.name);
    return site.kind == SiteKind::Weight
        ? quantizedWeight(site, params, Layout::AsStored)
        : quantizedActivation(site, params, m_raw[static_cast<std::size_t>(original)]);
}

ValueId QdqGraphBuilder::linearWeight(const Node& node, NodeId id)
{
    const ValueId original = node.inputs[1];
    const Layout layout = node.intAttribute("transB", 0) != 0 ? Layout::Transposed : Layout::AsStored;
    if (!m_graph.value(original).isConstant()) {
        if (layout == Layout::AsStored) {
            return inputOf(id, 1);
        }
        return m_builder.addNode("Transpose", node.name + ".transpose", {inputOf(id, 1)},
            {{"perm", std::vector<std::int64_t> {1, 0}}});
    }
    const auto reader = m_readers.find({id, 1});
    return reader == m_readers.end()
        ? plainConstant(original, layout)
        : quantizedWeight(*reader->second, m_quantizers.at(reader->second->name), layout);
}

ValueId QdqGraphBuilder::plainConstant(ValueId original, Layout layout)
{
    const auto [made, isNew] = m_constants.try_emplace({original, layout}, kNoValue);
    if (isNew) {
        const Value& value = m_graph.value(original);
        made->second = layout == Layout::Transposed
            ? m_builder.addConstant(value.name + ".transposed", transposed(value.constant))
            : m_builder.addConstant(value.name, value.constant);
    }
    return made->second;
}

ValueId QdqGraphBuilder::quantizedWeight(const Site& site, const QuantParams& params, Layout layout)
{
    const auto [made, isNew] = m_quantized.try_emplace({site.name, layout}, kNoValue);
    if (!isNew) {
        return made->second;
    }
    const Int8Form form = requireForm(site, params);
    const Tensor weight = m_graph.value(site.value).constant.toF32();
    std::vector<std::int32_t> codes = weightCodes(weight, params, site.weightAxis);
    for (std::int32_t& code : codes) {
        code = form.stored(code);
    }
    Shape shape = weight.shape();
    std::int64_t axis = site.weightAxis;
    if (layout == Layout::Transposed) {
        codes = transposedCodes(codes, shape[0], shape[1]);
        shape = Shape {shape[1], shape[0]};
        axis = 1 - axis;
    }
    const std::string base = layout == Layout::Transposed ? site.name + ".transposed" : site.name;
    const ValueId stored = addCodes(base + ".codes", shape, codes);
    const ValueId scale = addPerGroup(base + ".scale", params.scales);
    const ValueId zeroPoint = addCodes(
        base + ".zero_point", shapeOfGroups(params.zeroPoints.size()), storedZeroPoints(params, form));
    std::map<std::string, Attribute> attributes;
    if (params.scales.size() > 1) {
        attributes["axis"] = axis;
    }
    made->second
        = m_builder.addNode("DequantizeLinear", base + ".dequantize", {stored, scale, zeroPoint}, attributes);
    return made->second;
}

ValueId QdqGraphBuilder::quantizedActivation(const Site& site, const QuantParams& params, ValueId raw)
{
    const auto [made, isNew] = m_quantized.try_emplace({site.name, Layout::AsStored}, kNoValue);
    if (!isNew) {
        return made->second;
    }
    if (params.kind != QuantizerKind::Uniform) {
        made->second = logarithmicActivation(site, params, raw);
        return made->second;
    }
    const Int8Form form = requireForm(site, params);
    const ValueId scale = addPerGroup(site.name + ".scale", params.scales);
    const ValueId zeroPoint = addCodes(
        site.name + ".zero_point", shapeOfGroups(params.zeroPoints.size()), storedZeroPoints(params, form));
    std::map<std::string, Attribute> attributes;
    if (params.scales.size() > 1) {
        if (site.groupAxis != GroupAxis::Head) {
            throw Error(ErrorCode::Unsupported, "site '" + site.name + "' has one scale per channel");
        }
        attributes["axis"] = kHeadAxis;
    }
    ValueId codes
        = m_builder.addNode("QuantizeLinear", site.name + ".quantize", {raw, scale, zeroPoint}, attributes);
    if (form.clipped) {
        const ValueId lower = addCodes(site.name + ".minimum", Shape {}, {form.minimum});
        const ValueId upper = addCodes(site.name + ".maximum", Shape {}, {form.maximum});
        codes = m_builder.addNode("Clip", site.name + ".clip", {codes, lower, upper});
    }
    made->second = m_builder.addNode(
        "DequantizeLinear", site.name + ".dequantize", {codes, scale, zeroPoint}, attributes);
    return made->second;
}

ValueId QdqGraphBuilder::logarithmicActivation(const Site& site, const QuantParams& params, ValueId raw)
{
    // q = round(-k log2(x / d)) = round(-k / ln 2 * ln x + k log2 d); level q is d 2^(-q/k), level 2^b is 0.
    // The log of 0 is -inf and ends, as it should, in the last entry.
    const double k = codesPerOctave(params, 0);
    for (std::size_t i = 1; i < params.scales.size(); ++i) {
        if (codesPerOctave(params, i) != k) {
            throw Error(
                ErrorCode::Unsupported, "site '" + site.name + "' has heads of different AdaLog bases");
        }
    }
    const std::int64_t levels = std::int64_t {1} << params.bits;
    std::vector<float> table;
    for (std::int64_t q = 0; q < levels; ++q) {
        table.push_back(params.kind == QuantizerKind::AdaLog
                ? adaLogLevel(1.0, adaLogBase(params.bounds.front()), params.bits, q)
                : static_cast<float>(std::exp2(-static_cast<double>(q) / k)));
    }
    table.push_back(0.0F);
    std::vector<float> offsets;
    for (const float scale : params.scales) {
        offsets.push_back(static_cast<float>(k * std::log2(static_cast<double>(scale))));
    }
    const std::string& name = site.name;
    const auto perHead = [&](const std::string& constant, const std::vector<float>& values) {
        const auto heads = static_cast<std::int64_t>(values.size());
        return m_builder.addConstant(constant,
            Tensor::of<float>(heads == 1 ? Shape {} : Shape {heads, 1, 1}, std::span<const float>(values)));
    };
    if (site.role != Role::Softmax) {
        raw = m_builder.addNode("Relu", name + ".positive", {raw});
    }
    const ValueId logarithm = m_builder.addNode("Log", name + ".log", {raw});
    const ValueId factor = addScalar(m_builder, name + ".factor", static_cast<float>(-k / std::numbers::ln2));
    const ValueId scaled = m_builder.addNode("Mul", name + ".scaled", {logarithm, factor});
    const ValueId shifted
        = m_builder.addNode("Add", name + ".shifted", {scaled, perHead(name + ".log_scale", offsets)});
    const ValueId rounded = m_builder.addNode("Round", name + ".round", {shifted});
    const ValueId first = addScalar(m_builder, name + ".first", 0.0F);
    const ValueId last = addScalar(m_builder, name + ".last", static_cast<float>(levels));
    const ValueId clipped = m_builder.addNode("Clip", name + ".clip", {rounded, first, last});
    const ValueId codes = m_builder.addNode("Cast", name + ".codes", {clipped}, {{"to", kOnnxInt32}});
    const ValueId lut = m_builder.addConstant(name + ".levels",
        Tensor::of<float>(Shape {static_cast<std::int64_t>(table.size())}, std::span<const float>(table)));
    const ValueId level
        = m_builder.addNode("Gather", name + ".level", {lut, codes}, {{"axis", std::int64_t {0}}});
    return m_builder.addNode("Mul", name + ".dequantize", {level, perHead(name + ".scale", params.scales)});
}

ValueId QdqGraphBuilder::addCodes(
    const std::string& name, const Shape& shape, const std::vector<std::int32_t>& codes)
{
    const std::vector<std::int8_t> narrow(codes.begin(), codes.end());
    return m_builder.addConstant(name, Tensor::of<std::int8_t>(shape, std::span<const std::int8_t>(narrow)));
}

ValueId QdqGraphBuilder::addPerGroup(const std::string& name, const std::vector<float>& values)
{
    return m_builder.addConstant(
        name, Tensor::of<float>(shapeOfGroups(values.size()), std::span<const float>(values)));
}

} // namespace qs
