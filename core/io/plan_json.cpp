#include "core/io/plan_json.h"

#include "core/base/error.h"
#include "core/io/json_reader.h"

#include <nlohmann/json.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace qs {

namespace {

using Json = nlohmann::json;

constexpr std::array kSymmetries {Symmetry::Asymmetric, Symmetry::Symmetric};
constexpr std::array kGranularities {Granularity::Tensor, Granularity::Group};
constexpr std::array kMethods {
    BoundMethod::MinMax, BoundMethod::Percentile, BoundMethod::Mse, BoundMethod::Kl, BoundMethod::Manual};
constexpr std::array kAxes {GroupAxis::Channel, GroupAxis::Head};

std::string_view nameOf(GroupAxis axis)
{
    return axis == GroupAxis::Head ? "head" : "channel";
}

template<typename Enum, std::size_t N>
Enum enumFrom(const JsonReader& reader, const std::array<Enum, N>& all)
{
    const std::string text = reader.string();
    std::string names;
    for (const Enum candidate : all) {
        if (nameOf(candidate) == text) {
            return candidate;
        }
        names += (names.empty() ? "" : ", ") + std::string(nameOf(candidate));
    }
    reader.fail("is none of " + names);
}

Json boundsToJson(const std::vector<Bounds>& bounds)
{
    Json list = Json::array();
    for (const Bounds& pair : bounds) {
        list.push_back({pair.lower, pair.upper});
    }
    return list;
}

std::vector<Bounds> boundsFrom(const JsonReader& reader)
{
    std::vector<Bounds> bounds;
    for (const JsonReader& element : reader.elements()) {
        const std::vector<JsonReader> pair = element.elements();
        if (pair.size() != 2 || pair[0].number() > pair[1].number()) {
            element.fail("is no pair of a lower and an upper bound");
        }
        bounds.push_back({pair[0].number(), pair[1].number()});
    }
    return bounds;
}

SiteChoice oneChoiceFrom(const JsonReader& reader)
{
    reader.warnAboutOthers({"enabled", "kind", "symmetry", "granularity", "bits", "method", "manual_bounds"});
    SiteChoice choice;
    choice.enabled = reader.member("enabled").boolean();
    choice.kind = enumFrom(reader.member("kind"), kQuantizerKinds);
    choice.symmetry = enumFrom(reader.member("symmetry"), kSymmetries);
    choice.granularity = enumFrom(reader.member("granularity"), kGranularities);
    choice.bits = static_cast<int>(reader.member("bits").integer(kMinBits, kMaxBits));
    choice.method = enumFrom(reader.member("method"), kMethods);
    choice.manualBounds = boundsFrom(reader.member("manual_bounds"));
    return choice;
}

float scaleFrom(const JsonReader& reader)
{
    const double value = reader.number();
    const auto scale = static_cast<float>(value);
    if (value > static_cast<double>(std::numeric_limits<float>::max()) || !std::isnormal(scale)
        || scale < 0.0F) {
        reader.fail("is no scale: scales are positive normal floats");
    }
    return scale;
}

QuantParams oneQuantizerFrom(const JsonReader& reader)
{
    reader.warnAboutOthers({"kind", "symmetry", "granularity", "axis", "bits", "scales", "zero_points",
        "zero_point_fractions", "bounds"});
    QuantParams params;
    params.kind = enumFrom(reader.member("kind"), kQuantizerKinds);
    params.symmetry = enumFrom(reader.member("symmetry"), kSymmetries);
    params.granularity = enumFrom(reader.member("granularity"), kGranularities);
    params.axis = enumFrom(reader.member("axis"), kAxes);
    params.bits = static_cast<int>(reader.member("bits").integer(kMinBits, kMaxBits));
    for (const JsonReader& element : reader.member("scales").elements()) {
        params.scales.push_back(scaleFrom(element));
    }
    for (const JsonReader& element : reader.member("zero_points").elements()) {
        params.zeroPoints.push_back(static_cast<std::int32_t>(element.integer(
            std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max())));
    }
    for (const JsonReader& fractions : reader.optionalMember("zero_point_fractions")) {
        for (const JsonReader& element : fractions.elements()) {
            const double fraction = element.number();
            if (std::abs(fraction) > 0.5) {
                element.fail("is no fraction within -0.5 and 0.5");
            }
            params.zeroPointFractions.push_back(static_cast<float>(fraction));
        }
        if (params.zeroPointFractions.size() != params.scales.size()) {
            fractions.fail("has not one number for each scale");
        }
    }
    params.bounds = boundsFrom(reader.member("bounds"));
    if (params.scales.empty() || params.zeroPoints.size() != params.scales.size()
        || params.bounds.size() != params.scales.size()) {
        reader.fail("has " + std::to_string(params.scales.size()) + " scales, "
            + std::to_string(params.zeroPoints.size()) + " zero points and "
            + std::to_string(params.bounds.size()) + " bounds");
    }
    return params;
}

Json parsed(const std::string& text, const char* what)
{
    Json root = Json::parse(text, nullptr, false);
    if (!root.is_object()) {
        throw Error(ErrorCode::CorruptFile, std::string("the ") + what + " are no JSON object");
    }
    return root;
}

} // namespace

QuantParams paramsFrom(const JsonReader& reader)
{
    return oneQuantizerFrom(reader);
}

SiteChoice choiceFrom(const JsonReader& reader)
{
    return oneChoiceFrom(reader);
}

nlohmann::json choiceAsJson(const SiteChoice& choice)
{
    return {{"enabled", choice.enabled}, {"kind", nameOf(choice.kind)}, {"symmetry", nameOf(choice.symmetry)},
        {"granularity", nameOf(choice.granularity)}, {"bits", choice.bits}, {"method", nameOf(choice.method)},
        {"manual_bounds", boundsToJson(choice.manualBounds)}};
}

nlohmann::json planAsJson(const Plan& plan)
{
    Json root = Json::object();
    for (const auto& [site, choice] : plan.choices) {
        root[site] = choiceAsJson(choice);
    }
    return root;
}

nlohmann::json quantizersAsJson(const ResolvedPlan& quantizers)
{
    Json root = Json::object();
    for (const auto& [site, params] : quantizers) {
        root[site] = {{"kind", nameOf(params.kind)}, {"symmetry", nameOf(params.symmetry)},
            {"granularity", nameOf(params.granularity)}, {"axis", nameOf(params.axis)}, {"bits", params.bits},
            {"scales", params.scales}, {"zero_points", params.zeroPoints},
            {"bounds", boundsToJson(params.bounds)}};
        if (!params.zeroPointFractions.empty()) {
            root[site]["zero_point_fractions"] = params.zeroPointFractions;
        }
    }
    return root;
}

Plan planFrom(const JsonReader& reader)
{
    Plan plan;
    for (const JsonReader::Member& member : reader.members()) {
        plan.choices[member.key] = choiceFrom(member.value);
    }
    return plan;
}

ResolvedPlan quantizersFrom(const JsonReader& reader)
{
    ResolvedPlan quantizers;
    for (const JsonReader::Member& member : reader.members()) {
        quantizers[member.key] = oneQuantizerFrom(member.value);
    }
    return quantizers;
}

std::string planToJson(const Plan& plan)
{
    return planAsJson(plan).dump();
}

Plan planFromJson(const std::string& text)
{
    const Json root = parsed(text, "choices");
    return planFrom(JsonReader(root, "choices"));
}

std::string quantizersToJson(const ResolvedPlan& quantizers)
{
    return quantizersAsJson(quantizers).dump();
}

ResolvedPlan quantizersFromJson(const std::string& text)
{
    const Json root = parsed(text, "quantizers");
    return quantizersFrom(JsonReader(root, "quantizers"));
}

} // namespace qs
