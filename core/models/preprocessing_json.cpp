#include "core/models/preprocessing_json.h"

#include "core/base/error.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <utility>

namespace qs {

namespace {

using Json = nlohmann::json;

constexpr std::array kResamplings {std::pair {Resampling::Nearest, "nearest"},
    std::pair {Resampling::Bilinear, "bilinear"}, std::pair {Resampling::Bicubic, "bicubic"}};

Resampling resamplingFrom(const std::string& name)
{
    for (const auto& [resampling, text] : kResamplings) {
        if (name == text) {
            return resampling;
        }
    }
    throw Error(ErrorCode::CorruptFile, "the preprocessing resamples by '" + name + "'");
}

void requireSane(const Preprocessing& made)
{
    constexpr std::int64_t kLargest = 65536;
    const auto isSize
        = [](std::int64_t size, std::int64_t least) { return size >= least && size <= kLargest; };
    const bool sizes = isSize(made.height, 1) && isSize(made.width, 1) && isSize(made.resizeShorter, 0);
    const bool numbers = std::ranges::all_of(made.mean, [](double mean) { return std::isfinite(mean); })
        && std::ranges::all_of(made.standardDeviation,
            [](double deviation) { return std::isfinite(deviation) && deviation > 0.0; });
    if (!sizes || !numbers) {
        throw Error(ErrorCode::CorruptFile, "the preprocessing has a size or a deviation that cannot be");
    }
}

} // namespace

std::string preprocessingToJson(const std::optional<Preprocessing>& preprocessing)
{
    if (!preprocessing) {
        return {};
    }
    const auto name = std::ranges::find(
        kResamplings, preprocessing->resampling, &std::pair<Resampling, const char*>::first);
    const Json object {{"height", preprocessing->height}, {"width", preprocessing->width},
        {"resize_shorter", preprocessing->resizeShorter}, {"resampling", name->second},
        {"mean", preprocessing->mean}, {"std", preprocessing->standardDeviation}};
    return object.dump();
}

std::optional<Preprocessing> preprocessingFromJson(const std::string& text)
{
    if (text.empty()) {
        return std::nullopt;
    }
    try {
        const Json object = Json::parse(text);
        Preprocessing made;
        made.height = object.at("height").get<std::int64_t>();
        made.width = object.at("width").get<std::int64_t>();
        made.resizeShorter = object.at("resize_shorter").get<std::int64_t>();
        made.resampling = resamplingFrom(object.at("resampling").get<std::string>());
        made.mean = object.at("mean").get<std::array<double, 3>>();
        made.standardDeviation = object.at("std").get<std::array<double, 3>>();
        requireSane(made);
        return made;
    } catch (const Json::exception& error) {
        throw Error(ErrorCode::CorruptFile, std::string("the preprocessing's JSON: ") + error.what());
    }
}

} // namespace qs
