#include "core/io/plan_json.h"

#include "core/base/error.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <string_view>

namespace qs {

namespace {

using Json = nlohmann::json;

template<typename Enum, std::size_t N>
Enum enumFromName(const Json& object, const char* key, const std::array<Enum, N>& all)
{
    const auto text = object.at(key).get<std::string>();
    for (const Enum candidate : all) {
        if (nameOf(candidate) == text) {
            return candidate;
        }
    }
    throw Error(ErrorCode::CorruptFile, std::string("'") + key + "' is '" + text + "'");
}

constexpr std::array kKinds {QuantizerKind::Uniform, QuantizerKind::Log2, QuantizerKind::LogSqrt2};
constexpr std::array kSymmetries {Symmetry::Asymmetric, Symmetry::Symmetric};
constexpr std::array kGranularities {Granularity::Tensor, Granularity::Group};
constexpr std::array kMethods {
    BoundMethod::MinMax, BoundMethod::Percentile, BoundMethod::Mse, BoundMethod::Manual};

int bitsFrom(const Json& object)
{
    const auto bits = object.at("bits").get<std::int64_t>();
    if (bits < kMinBits || bits > kMaxBits) {
        throw Error(ErrorCode::CorruptFile, "'bits' is " + std::to_string(bits));
    }
    return static_cast<int>(bits);
}

Json boundsToJson(const std::vector<Bounds>& bounds)
{
    Json list = Json::array();
    for (const Bounds& pair : bounds) {
        list.push_back({pair.lower, pair.upper});
    }
    return list;
}

std::vector<Bounds> boundsFromJson(const Json& list)
{
    std::vector<Bounds> bounds;
    for (const Json& pair : list) {
        const Bounds read {pair.at(0).get<double>(), pair.at(1).get<double>()};
        if (!std::isfinite(read.lower) || !std::isfinite(read.upper) || read.lower > read.upper) {
            throw Error(ErrorCode::CorruptFile, "a pair of bounds is not an interval");
        }
        bounds.push_back(read);
    }
    return bounds;
}

SiteChoice choiceFromJson(const Json& object)
{
    SiteChoice choice;
    choice.enabled = object.at("enabled").get<bool>();
    choice.kind = enumFromName(object, "kind", kKinds);
    choice.symmetry = enumFromName(object, "symmetry", kSymmetries);
    choice.granularity = enumFromName(object, "granularity", kGranularities);
    choice.bits = bitsFrom(object);
    choice.method = enumFromName(object, "method", kMethods);
    choice.manualBounds = boundsFromJson(object.at("manual_bounds"));
    return choice;
}

QuantParams paramsFromJson(const Json& object)
{
    QuantParams params;
    params.kind = enumFromName(object, "kind", kKinds);
    params.symmetry = enumFromName(object, "symmetry", kSymmetries);
    params.granularity = enumFromName(object, "granularity", kGranularities);
    params.axis = object.at("axis").get<std::string>() == "head" ? GroupAxis::Head : GroupAxis::Channel;
    params.bits = bitsFrom(object);
    params.scales = object.at("scales").get<std::vector<float>>();
    params.zeroPoints = object.at("zero_points").get<std::vector<std::int32_t>>();
    params.bounds = boundsFromJson(object.at("bounds"));
    if (params.scales.empty() || params.zeroPoints.size() != params.scales.size()) {
        throw Error(ErrorCode::CorruptFile,
            std::to_string(params.scales.size()) + " scales do not go with "
                + std::to_string(params.zeroPoints.size()) + " zero points");
    }
    for (const float scale : params.scales) {
        if (!std::isfinite(scale) || scale <= 0.0F) {
            throw Error(ErrorCode::CorruptFile, "a scale is " + std::to_string(scale));
        }
    }
    return params;
}

/// Applies `read` to every member of a JSON object; every failure names the member.
template<typename Read>
void forEachSite(const std::string& text, const char* what, Read read)
{
    const Json root = Json::parse(text, nullptr, false);
    if (!root.is_object()) {
        throw Error(ErrorCode::CorruptFile, std::string("the ") + what + " are no JSON object");
    }
    for (const auto& [site, object] : root.items()) {
        try {
            read(site, object);
        } catch (const Json::exception& error) {
            throw Error(
                ErrorCode::CorruptFile, std::string(what) + " of site '" + site + "': " + error.what());
        } catch (const Error& error) {
            throw Error(error.code(), std::string(what) + " of site '" + site + "': " + error.what());
        }
    }
}

} // namespace

std::string planToJson(const Plan& plan)
{
    Json root = Json::object();
    for (const auto& [site, choice] : plan.choices) {
        root[site] = {{"enabled", choice.enabled}, {"kind", nameOf(choice.kind)},
            {"symmetry", nameOf(choice.symmetry)}, {"granularity", nameOf(choice.granularity)},
            {"bits", choice.bits}, {"method", nameOf(choice.method)},
            {"manual_bounds", boundsToJson(choice.manualBounds)}};
    }
    return root.dump();
}

Plan planFromJson(const std::string& text)
{
    Plan plan;
    forEachSite(text, "choices",
        [&](const std::string& site, const Json& object) { plan.choices[site] = choiceFromJson(object); });
    return plan;
}

std::string quantizersToJson(const ResolvedPlan& quantizers)
{
    Json root = Json::object();
    for (const auto& [site, params] : quantizers) {
        root[site] = {{"kind", nameOf(params.kind)}, {"symmetry", nameOf(params.symmetry)},
            {"granularity", nameOf(params.granularity)},
            {"axis", params.axis == GroupAxis::Head ? "head" : "channel"}, {"bits", params.bits},
            {"scales", params.scales}, {"zero_points", params.zeroPoints},
            {"bounds", boundsToJson(params.bounds)}};
    }
    return root.dump();
}

ResolvedPlan quantizersFromJson(const std::string& text)
{
    ResolvedPlan quantizers;
    forEachSite(text, "quantizers",
        [&](const std::string& site, const Json& object) { quantizers[site] = paramsFromJson(object); });
    return quantizers;
}

} // namespace qs
