#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace qs {

/// Kind of failure. Callers and tests decide by code; the message is for people.
enum class ErrorCode {
    InvalidArgument, ///< a value the caller or user gave is outside what is allowed
    ShapeMismatch, ///< tensors that should fit together do not
    Unsupported, ///< understood, but outside what this program does (an operator, a format version)
    CorruptFile, ///< a file contradicts itself or its format
    Io, ///< the operating system refused
    OutOfMemory,
    Cancelled, ///< the task's stop token was set; never shown as a failure
    Internal ///< a defect of this program
};

/// Lower-case name of the code, for logs ("corrupt file").
[[nodiscard]] std::string_view nameOf(ErrorCode code);

/// Text that quotes a file, fit for one sentence: control characters as '?', cut behind 500 bytes.
[[nodiscard]] std::string plainSentence(std::string_view text);

/// The only exception core/ throws. what() is one sentence naming the file, tensor, operator or layer and the
/// numbers.
class Error : public std::runtime_error
{
public:
    Error(ErrorCode code, const std::string& sentence)
        : std::runtime_error(sentence)
        , m_code(code)
    {
    }

    [[nodiscard]] ErrorCode code() const noexcept { return m_code; }

private:
    ErrorCode m_code;
};

} // namespace qs
