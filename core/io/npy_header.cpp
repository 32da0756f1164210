#include "core/io/npy_header.h"

#include "core/base/error.h"
#include "core/tensor/shape.h"

#include <charconv>

namespace qs {

namespace {

/// Reads the few Python literals a header is made of.
class LiteralReader
{
public:
    LiteralReader(std::string_view text, const std::string& name)
        : m_text(text)
        , m_name(name)
    {
    }

    NpyHeader header()
    {
        NpyHeader result;
        unsigned seen = 0;
        expect('{');
        while (!take('}')) {
            const std::string key = quoted();
            expect(':');
            if (key == "descr") {
                result.description = elementType();
                seen |= 1U;
            } else if (key == "fortran_order") {
                result.fortranOrder = boolean();
                seen |= 2U;
            } else if (key == "shape") {
                result.dims = tuple();
                seen |= 4U;
            } else {
                fail("an unknown entry");
            }
            if (!take(',')) {
                expect('}');
                break;
            }
        }
        skipBlanks();
        if (seen != 7U || m_at != m_text.size()) {
            fail("not the three entries descr, fortran_order and shape");
        }
        return result;
    }

private:
    [[noreturn]] void fail(const char* what) const
    {
        throw Error(ErrorCode::CorruptFile,
            m_name + ": its header has " + what + " (near character " + std::to_string(m_at) + ")");
    }
    void skipBlanks()
    {
        while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\n')) {
            ++m_at;
        }
    }
    bool take(char wanted)
    {
        skipBlanks();
        if (m_at < m_text.size() && m_text[m_at] == wanted) {
            ++m_at;
            return true;
        }
        return false;
    }
    void expect(char wanted)
    {
        if (!take(wanted)) {
            fail("no valid dictionary");
        }
    }
    std::string quoted()
    {
        const char quote = take('\'') ? '\'' : '"';
        if (quote == '"') {
            expect('"');
        }
        const std::size_t end = m_text.find(quote, m_at);
        if (end == std::string_view::npos) {
            fail("text without an end");
        }
        std::string text(m_text.substr(m_at, end - m_at));
        m_at = end + 1;
        return text;
    }
    std::string elementType()
    {
        if (take('[')) {
            throw Error(
                ErrorCode::Unsupported, m_name + " holds records; only arrays of plain numbers are read");
        }
        return quoted();
    }
    bool boolean()
    {
        skipBlanks();
        for (const auto& [word, value] : {std::pair {"True", true}, std::pair {"False", false}}) {
            if (m_text.substr(m_at).starts_with(word)) {
                m_at += std::string_view(word).size();
                return value;
            }
        }
        fail("an order that is neither True nor False");
    }
    std::vector<std::int64_t> tuple()
    {
        std::vector<std::int64_t> dims;
        expect('(');
        while (!take(')')) {
            skipBlanks();
            std::int64_t dim = 0;
            const char* start = m_text.data() + m_at;
            const auto [end, problem] = std::from_chars(start, m_text.data() + m_text.size(), dim);
            if (problem != std::errc {} || dim < 0 || dims.size() == Shape::kMaxRank) {
                fail("an impossible shape");
            }
            m_at += static_cast<std::size_t>(end - start);
            take('L'); // Python 2 wrote long integers so
            dims.push_back(dim);
            if (!take(',')) {
                expect(')');
                break;
            }
        }
        return dims;
    }

    std::string_view m_text;
    const std::string& m_name;
    std::size_t m_at = 0;
};

} // namespace

NpyHeader parseNpyHeader(std::string_view text, const std::string& name)
{
    return LiteralReader(text, name).header();
}

} // namespace qs
