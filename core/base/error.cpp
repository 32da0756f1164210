#include "core/base/error.h"

namespace qs {

std::string_view nameOf(ErrorCode code)
{
    switch (code) {
    case ErrorCode::InvalidArgument: return "invalid argument";
    case ErrorCode::ShapeMismatch: return "shape mismatch";
    case ErrorCode::Unsupported: return "unsupported";
    case ErrorCode::CorruptFile: return "corrupt file";
    case ErrorCode::Io: return "input/output error";
    case ErrorCode::OutOfMemory: return "out of memory";
    case ErrorCode::Cancelled: return "cancelled";
    case ErrorCode::Internal: return "internal error";
    }
    return "unknown";
}

std::string plainSentence(std::string_view text)
{
    constexpr std::size_t kLongest = 500;
    std::string result(text.substr(0, kLongest));
    for (char& letter : result) {
        if (static_cast<unsigned char>(letter) < 0x20 || letter == 0x7F) {
            letter = '?';
        }
    }
    return text.size() > kLongest ? result + "..." : result;
}

} // namespace qs
