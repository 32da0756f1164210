#include "core/io/rewriting_json.h"

#include "core/io/plan_json.h"

#include <nlohmann/json.hpp>

namespace qs {

nlohmann::json reparameterizationsAsJson(const std::vector<Reparameterization>& list)
{
    nlohmann::json json = nlohmann::json::array();
    for (const Reparameterization& each : list) {
        const nlohmann::json params
            = quantizersAsJson({{"channels", each.channels}, {"tensor", each.tensor}});
        json.push_back({{"site", each.site}, {"channels", params["channels"]}, {"tensor", params["tensor"]}});
    }
    return json;
}

std::vector<Reparameterization> reparameterizationsFrom(const JsonReader& reader)
{
    std::vector<Reparameterization> list;
    for (const JsonReader& element : reader.elements()) {
        element.warnAboutOthers({"site", "channels", "tensor"});
        Reparameterization result;
        result.site = element.member("site").string();
        result.channels = paramsFrom(element.member("channels"));
        result.tensor = paramsFrom(element.member("tensor"));
        if (result.tensor.scales.size() != 1) {
            element.member("tensor").fail("has not one scale");
        }
        list.push_back(std::move(result));
    }
    return list;
}

nlohmann::json shiftsAsJson(const std::vector<ActivationShift>& list)
{
    nlohmann::json json = nlohmann::json::array();
    for (const ActivationShift& each : list) {
        json.push_back({{"site", each.site}, {"amount", each.amount}});
    }
    return json;
}

std::vector<ActivationShift> shiftsFrom(const JsonReader& reader)
{
    std::vector<ActivationShift> list;
    for (const JsonReader& element : reader.elements()) {
        element.warnAboutOthers({"site", "amount"});
        list.push_back({element.member("site").string(), element.member("amount").number()});
    }
    return list;
}

} // namespace qs
