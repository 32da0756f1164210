#include "core/eval/sensitivity_json.h"

#include "core/base/error.h"
#include "core/io/json_text.h"
#include "core/io/plan_json.h"

#include <nlohmann/json.hpp>

#include <cmath>
#include <limits>

namespace qs {

namespace {

using Json = nlohmann::json;

constexpr std::int64_t kMost = std::int64_t {1} << 53U; ///< what every reader of JSON takes as a whole number
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// JSON has no infinity: an SQNR of equal values is null.
Json orNull(double value)
{
    return std::isfinite(value) ? Json(value) : Json(nullptr);
}

double decibelFrom(const JsonReader& reader, const char* key)
{
    const auto found = reader.optionalMember(key);
    return found.empty() ? kInfinity : found.front().number();
}

std::optional<double> numberFrom(const JsonReader& reader, const char* key)
{
    const auto found = reader.optionalMember(key);
    return found.empty() ? std::nullopt : std::optional(found.front().number());
}

void put(Json& json, const char* key, const std::optional<double>& value)
{
    if (value) {
        json[key] = orNull(*value);
    }
}

Json intervalAsJson(const BootstrapInterval& interval)
{
    return {orNull(interval.lower), orNull(interval.upper)};
}

BootstrapInterval intervalFrom(const JsonReader& reader)
{
    const std::vector<JsonReader> ends = reader.elements();
    if (ends.size() != 2) {
        reader.fail("is no pair of a lower and an upper end");
    }
    BootstrapInterval interval {kInfinity, kInfinity};
    if (!ends[0].isNull()) {
        interval.lower = ends[0].number();
    }
    if (!ends[1].isNull()) {
        interval.upper = ends[1].number();
    }
    return interval;
}

Json intervalsAsJson(const SensitivityIntervals& intervals)
{
    Json json {{"kl", intervalAsJson(intervals.klNats)},
        {"changed", intervalAsJson(intervals.changedPercent)},
        {"sqnr_db", intervalAsJson(intervals.logitsSqnrDb)}, {"resamples", intervals.bootstrap.resamples},
        {"seed", intervals.bootstrap.seed}, {"coverage", intervals.bootstrap.coverage}};
    if (intervals.top1DropPercent) {
        json["top1_drop"] = intervalAsJson(*intervals.top1DropPercent);
    }
    if (intervals.nllIncreaseNats) {
        json["nll_increase"] = intervalAsJson(*intervals.nllIncreaseNats);
    }
    return json;
}

SensitivityIntervals intervalsFrom(const JsonReader& reader)
{
    SensitivityIntervals intervals;
    intervals.klNats = intervalFrom(reader.member("kl"));
    intervals.changedPercent = intervalFrom(reader.member("changed"));
    intervals.logitsSqnrDb = intervalFrom(reader.member("sqnr_db"));
    intervals.bootstrap.resamples = reader.member("resamples").integer(1, kMost);
    intervals.bootstrap.seed = static_cast<std::uint64_t>(reader.member("seed").integer(0, kMost));
    intervals.bootstrap.coverage = reader.member("coverage").number();
    for (const JsonReader& drop : reader.optionalMember("top1_drop")) {
        intervals.top1DropPercent = intervalFrom(drop);
    }
    for (const JsonReader& increase : reader.optionalMember("nll_increase")) {
        intervals.nllIncreaseNats = intervalFrom(increase);
    }
    return intervals;
}

Json effectAsJson(const CauseEffect& effect)
{
    return {
        {"kl", effect.klNats}, {"changed", effect.changedPercent}, {"sqnr_db", orNull(effect.logitsSqnrDb)}};
}

std::optional<CauseEffect> effectFrom(const JsonReader& reader, const char* key)
{
    std::optional<CauseEffect> effect;
    for (const JsonReader& member : reader.optionalMember(key)) {
        effect = CauseEffect {
            member.member("kl").number(), member.member("changed").number(), decibelFrom(member, "sqnr_db")};
    }
    return effect;
}

} // namespace

nlohmann::json sensitivityAsJson(const SiteSensitivity& result)
{
    Json json {{"site", result.site}, {"kind", result.kind == SiteKind::Weight ? "weight" : "activation"},
        {"bits", result.bits}, {"samples", result.samples}, {"sqnr_db", orNull(result.logitsSqnrDb)},
        {"kl", result.klNats}, {"agreement", result.agreementPercent},
        {"site_sqnr_db", orNull(result.siteSqnrDb)}, {"clipping_share", result.clippingShare},
        {"choice", choiceAsJson(result.choice)}, {"planned_bits", result.atPlannedBits},
        {"basis", result.basis}};
    put(json, "top1_drop", result.top1DropPercent);
    put(json, "nll", result.nllNats);
    put(json, "nll_increase", result.nllIncreaseNats);
    if (result.intervals) {
        json["intervals"] = intervalsAsJson(*result.intervals);
    }
    if (result.clippingAlone) {
        json["clipping_alone"] = effectAsJson(*result.clippingAlone);
    }
    if (result.roundingAlone) {
        json["rounding_alone"] = effectAsJson(*result.roundingAlone);
    }
    return json;
}

SiteSensitivity sensitivityFrom(const JsonReader& reader)
{
    SiteSensitivity result;
    result.site = reader.member("site").string();
    const JsonReader kind = reader.member("kind");
    if (kind.string() != "weight" && kind.string() != "activation") {
        kind.fail("is '" + kind.string() + "' instead of 'weight' or 'activation'");
    }
    result.kind = kind.string() == "weight" ? SiteKind::Weight : SiteKind::Activation;
    result.bits = static_cast<int>(reader.member("bits").integer(kMinBits, kMaxBits));
    for (const JsonReader& samples : reader.optionalMember("samples")) {
        result.samples = samples.integer(0, kMost);
    }
    const bool early = !reader.optionalMember("logits_sqnr_db").empty(); // the key of earlier session files
    result.logitsSqnrDb = decibelFrom(reader, early ? "logits_sqnr_db" : "sqnr_db");
    result.klNats = reader.member("kl").number();
    result.agreementPercent = reader.member("agreement").number();
    result.siteSqnrDb = decibelFrom(reader, "site_sqnr_db");
    result.clippingShare = reader.member("clipping_share").number();
    result.top1DropPercent = numberFrom(reader, "top1_drop");
    result.nllNats = numberFrom(reader, "nll");
    result.nllIncreaseNats = numberFrom(reader, "nll_increase");
    for (const JsonReader& intervals : reader.optionalMember("intervals")) {
        result.intervals = intervalsFrom(intervals);
    }
    result.clippingAlone = effectFrom(reader, "clipping_alone");
    result.roundingAlone = effectFrom(reader, "rounding_alone");
    for (const JsonReader& choice : reader.optionalMember("choice")) {
        result.choice = choiceFrom(choice);
    }
    for (const JsonReader& planned : reader.optionalMember("planned_bits")) {
        result.atPlannedBits = planned.boolean();
    }
    for (const JsonReader& basis : reader.optionalMember("basis")) {
        result.basis = basis.string();
    }
    return result;
}

std::vector<SiteSensitivity> readSensitivities(const std::filesystem::path& file)
{
    const Json root = readJsonFile(file);
    std::vector<SiteSensitivity> results;
    try {
        for (const JsonReader& site : JsonReader(root, "").member("sites").elements()) {
            results.push_back(sensitivityFrom(site));
        }
    } catch (const Error& error) {
        throw Error(error.code(), "'" + file.string() + "' holds no sensitivities: " + error.what());
    }
    return results;
}

} // namespace qs
