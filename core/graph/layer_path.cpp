#include "core/graph/layer_path.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace qs {

namespace {

bool isNumber(std::string_view part)
{
    return !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> partsOf(std::string_view path)
{
    std::vector<std::string> parts;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('.'), path.size());
        if (end > 0) {
            parts.emplace_back(path.substr(0, end));
        }
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return parts;
}

std::string joined(const std::vector<std::string>& parts, std::size_t count)
{
    std::string path;
    for (std::size_t i = 0; i < count; ++i) {
        path += (i == 0 ? "" : ".") + parts[i];
    }
    return path;
}

/// "MatMul" of "MatMul_17" and "node_MatMul_17", "transformer_block" of "transformer_block_2".
std::string_view stemOf(std::string_view part)
{
    if (part.starts_with("node_")) {
        part.remove_prefix(5);
    }
    const std::size_t underscore = part.rfind('_');
    return underscore != std::string_view::npos && isNumber(part.substr(underscore + 1))
        ? part.substr(0, underscore)
        : part;
}

bool isOperator(std::string_view part)
{
    constexpr std::array<std::string_view, 24> kOperators {"Add", "Cast", "Conv", "Div", "Erf", "FusedMatMul",
        "Gelu", "Gemm", "Identity", "LayerNormalization", "Linear", "MatMul", "Mul", "Pow",
        "RMSNormalization", "Reciprocal", "Reshape", "Sigmoid", "Softmax", "Sqrt", "Sub", "Swish", "Tanh",
        "Transpose"};
    return std::ranges::find(kOperators, stemOf(part)) != kOperators.end();
}

/// Names of parameters, and what TensorFlow's converters put behind a dense layer's path, often cut short.
bool isParameterWord(std::string_view part)
{
    for (const std::string_view word : {"weight", "bias", "kernel", "gamma", "beta"}) {
        if (part.starts_with(word)) {
            return true;
        }
    }
    const std::string_view stem = stemOf(part);
    for (const std::string_view word : {"Tensordot", "MatMul", "BiasAdd"}) {
        if (stem.size() >= 2 && word.starts_with(stem)) {
            return true;
        }
    }
    return false;
}

bool isBlockName(std::string_view part)
{
    const std::size_t digits = part.find_last_not_of("0123456789");
    std::string_view word = part.substr(0, digits == std::string_view::npos ? 0 : digits + 1);
    const bool numbered = word.size() < part.size();
    if (word.ends_with('_')) {
        word.remove_suffix(1);
    }
    return word.ends_with("block") || (numbered && word.ends_with("layer"));
}

} // namespace

std::string parentOf(const std::string& path)
{
    const std::size_t dot = path.rfind('.');
    return dot == std::string::npos ? std::string() : path.substr(0, dot);
}

std::string blockOf(const std::string& path)
{
    const std::vector<std::string> parts = partsOf(path);
    std::size_t count = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool isLast = i + 1 == parts.size();
        if (count == 0 && !isLast && isBlockName(parts[i]) && !isNumber(parts[i + 1])) {
            count = i + 1;
        }
        const bool isList
            = i > 0 && (parts[i - 1] == "blocks" || parts[i - 1] == "layers" || parts[i - 1] == "layer");
        if (i > 0 && isNumber(parts[i]) && (count == 0 || isList)) {
            count = i + 1;
        }
    }
    return joined(parts, count);
}

std::string commonParentOf(const std::vector<std::string>& paths)
{
    if (paths.empty()) {
        return {};
    }
    std::vector<std::string> common = partsOf(paths.front());
    common.resize(common.empty() ? 0 : common.size() - 1);
    for (const std::string& path : paths) {
        const std::vector<std::string> parts = partsOf(path);
        std::size_t same = 0;
        while (same < common.size() && same + 1 < parts.size() && parts[same] == common[same]) {
            ++same;
        }
        common.resize(same);
    }
    return joined(common, common.size());
}

std::string layerOfNode(const std::string& name)
{
    std::vector<std::string> parts = partsOf(name);
    for (std::size_t i = 0; i + 2 < parts.size(); ++i) {
        if (parts[i] == parts[i + 1] && isNumber(parts[i + 2])) {
            parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }
    const bool repeated = parts.size() > 1 && isNumber(parts.back()) && isOperator(parts[parts.size() - 2]);
    if (repeated) {
        parts.pop_back();
    }
    if (!parts.empty()
        && (isOperator(parts.back()) || (parts.size() == 1 && isNumber(stemOf(parts.back()))))) {
        parts.pop_back();
    }
    return joined(parts, parts.size());
}

std::string layerOfParameter(const std::string& name)
{
    std::string path = name.substr(name.rfind(':') + 1);
    std::ranges::replace(path, '/', '.');
    std::vector<std::string> parts = partsOf(path);
    const std::size_t given = parts.size();
    while (!parts.empty() && isParameterWord(parts.back())) {
        parts.pop_back();
    }
    const bool says = parts.size() > 1 || (parts.size() == 1 && given > 1);
    return says && !isNumber(parts.front()) ? joined(parts, parts.size()) : std::string();
}

} // namespace qs
