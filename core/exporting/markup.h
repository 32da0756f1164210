#pragma once

#include <span>
#include <string>
#include <string_view>

namespace qs {

/// Text as the content or a quoted attribute of HTML and SVG: & < > " ' as references, control characters
/// other than newline and tab left out, bytes that are no UTF-8 as U+FFFD. Names come from files and may be
/// anything.
[[nodiscard]] std::string escapedMarkup(std::string_view text);

/// RFC 4648, with padding.
[[nodiscard]] std::string base64(std::span<const std::byte> bytes);

/// "data:TYPE;base64,…" for the src of an image.
[[nodiscard]] std::string dataUri(std::string_view type, std::string_view bytes);

/// Fixed decimals with a point; "∞", "−∞" and "–" (NaN) where there is no number.
[[nodiscard]] std::string reportNumber(double value, int decimals);
/// Three significant digits: "0.00123", "12.5", "3.1e-7".
[[nodiscard]] std::string shortNumber(double value);

} // namespace qs
