#pragma once

#include "core/base/error.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace qs::test {

/// Code and sentence of the Error that the action throws; no code and no text when it throws none.
inline std::pair<std::optional<ErrorCode>, std::string> failureOf(const std::function<void()>& action)
{
    try {
        action();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {std::nullopt, ""};
}

} // namespace qs::test
