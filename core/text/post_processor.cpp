#include "core/text/post_processor.h"

#include "core/base/error.h"
#include "core/text/token_model.h"

namespace qs {

namespace {

constexpr std::int64_t kMostTokens = std::int64_t {1} << 28U;

/// Number of ["[SEP]", 102].
std::int32_t readPair(const JsonReader& json)
{
    const std::vector<JsonReader> parts = json.elements();
    if (parts.size() != 2) {
        json.fail("is not a token and its number");
    }
    return static_cast<std::int32_t>(parts[1].integer(0, kMostTokens));
}

std::vector<std::int32_t> idsOf(const JsonReader& specials, const JsonReader& token)
{
    std::vector<std::int32_t> ids;
    const std::string name = token.member("id").string();
    for (const JsonReader& id : specials.member(name.c_str()).member("ids").elements()) {
        ids.push_back(static_cast<std::int32_t>(id.integer(0, kMostTokens)));
    }
    return ids;
}

SequenceFrame readTemplate(const JsonReader& json)
{
    const JsonReader specials = json.member("special_tokens");
    const JsonReader single = json.member("single");
    SequenceFrame frame;
    bool behind = false;
    for (const JsonReader& part : single.elements()) {
        for (const JsonReader& token : part.optionalMember("SpecialToken")) {
            std::vector<std::int32_t>& target = behind ? frame.after : frame.before;
            const std::vector<std::int32_t> ids = idsOf(specials, token);
            target.insert(target.end(), ids.begin(), ids.end());
        }
        if (!part.optionalMember("Sequence").empty()) {
            if (behind) {
                single.fail("holds the sequence twice");
            }
            behind = true;
        }
    }
    if (!behind) {
        single.fail("does not hold the sequence");
    }
    return frame;
}

} // namespace

SequenceFrame readPostProcessor(const JsonReader& json)
{
    const std::string type = json.member("type").string();
    if (type == "TemplateProcessing") {
        return readTemplate(json);
    }
    if (type == "BertProcessing" || type == "RobertaProcessing") {
        return {{readPair(json.member("cls"))}, {readPair(json.member("sep"))}};
    }
    if (type == "ByteLevel") {
        return {};
    }
    if (type == "Sequence") {
        SequenceFrame frame;
        for (const JsonReader& step : json.member("processors").elements()) {
            SequenceFrame outer = readPostProcessor(step); // the document's nesting is limited
            frame.before.insert(frame.before.begin(), outer.before.begin(), outer.before.end());
            frame.after.insert(frame.after.end(), outer.after.begin(), outer.after.end());
        }
        return frame;
    }
    throw Error(ErrorCode::Unsupported, "its post-processor '" + plainSentence(type) + "' is not supported");
}

} // namespace qs
