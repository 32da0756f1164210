#pragma once

#include <QString>

namespace qs {

/// A number for people, in the default locale: `digits` significant digits, typographic minus, "∞" for
/// infinity, "–" for NaN; small and large magnitudes as 3.1e-5.
[[nodiscard]] QString formatNumber(double value, int digits = 4);
/// "31.4 dB".
[[nodiscard]] QString formatDecibel(double value);
/// A fraction in [0, 1] as "3.1 %"; below 0.01 % as "< 0.01 %".
[[nodiscard]] QString formatShare(double fraction);
/// A percentage with two decimals: "79.84 %".
[[nodiscard]] QString formatPercent(double percent);
/// Seconds as "0.4 s", "12 s", "3:05", "1:02:07".
[[nodiscard]] QString formatDuration(double seconds);

} // namespace qs
