#pragma once

#include <QString>

namespace qs {

/// A value worth marking on a value axis: below it lies a known share of all values.
struct PercentileMark
{
    double value = 0.0; ///< tensor units
    QString label; ///< "99.9 %"

    friend bool operator==(const PercentileMark&, const PercentileMark&) = default;
};

} // namespace qs
