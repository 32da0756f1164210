#include "core/io/safetensors_header.h"

#include "core/base/error.h"
#include "core/io/json_text.h"

#include <nlohmann/json.hpp>

#include <optional>

namespace qs {

namespace {

using nlohmann::json;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxNameLength = 4096;

std::optional<DType> dtypeOf(std::string_view name)
{
    for (const DType type : {DType::F32, DType::F16, DType::BF16, DType::F64, DType::I8, DType::U8,
             DType::I16, DType::U16, DType::I32, DType::U32, DType::I64, DType::U64, DType::Bool}) {
        if (nameOf(type) == name) {
            return type;
        }
    }
    return std::nullopt;
}

/// Receives the parser's events. The only structure it accepts has depth 1 (the file), 2 (a tensor or the
/// metadata) and 3 (shape, data_offsets); values under keys it does not know are skipped.
class HeaderEvents : public json::json_sax_t
{
public:
    explicit HeaderEvents(const std::filesystem::path& file)
        : m_file(file)
    {
    }

    SafetensorsHeader header;

    bool null() override { return scalar("null"); }
    bool boolean(bool /*value*/) override { return scalar("a boolean"); }
    bool number_integer(number_integer_t value) override
    {
        return scalar("the negative number " + std::to_string(value));
    }
    bool number_float(number_float_t /*value*/, const string_t& text) override
    {
        return scalar("the number " + quotedName(text));
    }
    bool binary(binary_t& /*value*/) override { return scalar("binary data"); }
    bool number_unsigned(number_unsigned_t value) override;
    bool string(string_t& value) override;
    bool start_object(std::size_t /*elements*/) override;
    bool end_object() override;
    bool start_array(std::size_t /*elements*/) override;
    bool end_array() override;
    bool key(string_t& value) override;
    bool parse_error(
        std::size_t position, const std::string& /*lastToken*/, const json::exception& /*error*/) override
    {
        fail("is not valid JSON at byte " + std::to_string(position));
    }

private:
    enum class Field { None, DType, Shape, Offsets, Unknown };

    [[noreturn]] void fail(const std::string& what) const
    {
        throw Error(ErrorCode::CorruptFile, "the header of '" + m_file.string() + "' " + what);
    }
    [[noreturn]] void failTensor(const std::string& what) const
    {
        throw Error(
            ErrorCode::CorruptFile, "tensor " + quotedName(m_name) + " of '" + m_file.string() + "' " + what);
    }
    void enter();
    /// A value of a kind that no known field takes.
    bool scalar(const std::string& what) const;
    void finishTensor();

    const std::filesystem::path& m_file;
    int m_depth = 0;
    bool m_inMetadata = false;
    bool m_inList = false;
    std::string m_name; ///< key at depth 1
    std::string m_key; ///< key at depth 2
    Field m_field = Field::None;
    std::optional<DType> m_dtype;
    std::optional<std::vector<std::int64_t>> m_shape;
    std::optional<std::vector<std::uint64_t>> m_offsets;
};

void HeaderEvents::enter()
{
    if (++m_depth > kMaxDepth) {
        fail("nests JSON deeper than " + std::to_string(kMaxDepth) + " levels");
    }
}

bool HeaderEvents::scalar(const std::string& what) const
{
    if (m_depth == 0) {
        fail("is " + what + " instead of an object");
    }
    if (m_depth == 1) {
        failTensor("is described by " + what + " instead of an object");
    }
    if (m_inMetadata) {
        fail("has " + what + " instead of text as metadata " + quotedName(m_key));
    }
    if (m_field != Field::Unknown) {
        failTensor("has " + what + " in its " + quotedName(m_key));
    }
    return true;
}

bool HeaderEvents::number_unsigned(number_unsigned_t value)
{
    if (!m_inList) {
        return scalar("the number " + std::to_string(value));
    }
    if (m_field == Field::Shape) {
        if (m_shape->size() == Shape::kMaxRank) {
            failTensor("has more than " + std::to_string(Shape::kMaxRank) + " dimensions");
        }
        if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
            failTensor("has the dimension " + std::to_string(value) + ", which no file can hold");
        }
        m_shape->push_back(static_cast<std::int64_t>(value));
    } else {
        if (m_offsets->size() == 2) {
            failTensor("has more than two data_offsets");
        }
        m_offsets->push_back(value);
    }
    return true;
}

bool HeaderEvents::string(string_t& value)
{
    if (m_depth == 2 && m_inMetadata) {
        if (!header.metadata.emplace(m_key, value).second) {
            fail("has the metadata " + quotedName(m_key) + " twice");
        }
        return true;
    }
    if (m_depth == 2 && m_field == Field::DType) {
        m_dtype = dtypeOf(value);
        if (!m_dtype) {
            throw Error(ErrorCode::Unsupported,
                "tensor " + quotedName(m_name) + " of '" + m_file.string() + "' has the element type "
                    + quotedName(value) + ", which is not supported");
        }
        return true;
    }
    return scalar("the text " + quotedName(value));
}

bool HeaderEvents::start_object(std::size_t /*elements*/)
{
    if (m_depth >= 2 && (m_inMetadata || m_field != Field::Unknown)) {
        scalar("an object");
    }
    enter();
    if (m_depth == 2) {
        m_inMetadata = m_name == "__metadata__";
        m_field = Field::None;
        m_dtype.reset();
        m_shape.reset();
        m_offsets.reset();
    }
    return true;
}

bool HeaderEvents::end_object()
{
    if (m_depth == 2 && !m_inMetadata) {
        finishTensor();
    }
    --m_depth;
    return true;
}

bool HeaderEvents::start_array(std::size_t /*elements*/)
{
    const bool wanted = m_depth == 2 && (m_field == Field::Shape || m_field == Field::Offsets);
    if (!wanted || m_inList) {
        scalar("a list");
    }
    m_inList = wanted;
    enter();
    return true;
}

bool HeaderEvents::end_array()
{
    --m_depth;
    m_inList = false;
    return true;
}

bool HeaderEvents::key(string_t& value)
{
    if (value.size() > kMaxNameLength) {
        fail("has a name of " + std::to_string(value.size()) + " bytes: " + quotedName(value));
    }
    if (m_depth == 1) {
        m_name = std::move(value);
        return true;
    }
    if (m_depth > 2) {
        return true; // inside a value that is skipped
    }
    m_key = std::move(value);
    const auto begin = [this](auto& field, Field which) {
        if (field) {
            failTensor("has its " + quotedName(m_key) + " twice");
        }
        m_field = which;
    };
    if (m_inMetadata) {
        m_field = Field::None;
    } else if (m_key == "dtype") {
        begin(m_dtype, Field::DType);
    } else if (m_key == "shape") {
        begin(m_shape, Field::Shape);
        m_shape.emplace();
    } else if (m_key == "data_offsets") {
        begin(m_offsets, Field::Offsets);
        m_offsets.emplace();
    } else {
        m_field = Field::Unknown;
    }
    return true;
}

void HeaderEvents::finishTensor()
{
    if (!m_dtype || !m_shape || !m_offsets || m_offsets->size() != 2) {
        failTensor("lacks its dtype, its shape or one of its two data_offsets");
    }
    const std::uint64_t begin = m_offsets->front();
    const std::uint64_t end = m_offsets->back();
    const std::string range = std::to_string(begin) + " to " + std::to_string(end);
    if (end < begin) {
        failTensor("has the data_offsets " + range + " in the wrong order");
    }
    std::uint64_t bytes = sizeOf(*m_dtype);
    Shape shape;
    try {
        shape = Shape(std::move(*m_shape));
    } catch (const Error& error) {
        failTensor(std::string("cannot exist: ") + error.what());
    }
    if (__builtin_mul_overflow(static_cast<std::uint64_t>(shape.elementCount()), bytes, &bytes)
        || bytes != end - begin) {
        failTensor("has shape " + shape.text() + " of " + std::string(nameOf(*m_dtype))
            + ", which does not fit its data_offsets " + range);
    }
    header.entries.push_back({m_name, *m_dtype, std::move(shape), begin, end});
}

} // namespace

SafetensorsHeader parseSafetensorsHeader(std::string_view text, const std::filesystem::path& file)
{
    if (text.empty() || text.front() != '{') {
        throw Error(ErrorCode::CorruptFile, "the header of '" + file.string() + "' does not begin with '{'");
    }
    HeaderEvents events(file);
    if (!json::sax_parse(text.begin(), text.end(), &events)) {
        throw Error(ErrorCode::CorruptFile, "the header of '" + file.string() + "' is not valid JSON");
    }
    return std::move(events.header);
}

} // namespace qs
