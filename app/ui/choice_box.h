#pragma once

#include "widgets/common/display_names.h"

#include <QComboBox>
#include <QString>

#include <array>
#include <cstddef>
#include <optional>

namespace qs {

/// A box with values of an enumeration of core, under the names that the user interface has for them.
template<typename Enum, std::size_t N>
[[nodiscard]] QComboBox* choiceBox(
    const QString& accessibleName, const std::array<Enum, N>& values, Enum present)
{
    auto* box = new QComboBox;
    box->setAccessibleName(accessibleName);
    for (const Enum value : values) {
        box->addItem(displayName(value), static_cast<int>(value));
    }
    box->setCurrentIndex(box->findData(static_cast<int>(present)));
    return box;
}

/// The same with `automatic` on top for no value.
template<typename Enum, std::size_t N>
[[nodiscard]] QComboBox* choiceBox(const QString& accessibleName, const QString& automatic,
    const std::array<Enum, N>& values, const std::optional<Enum>& present)
{
    auto* box = choiceBox(accessibleName, values, present.value_or(values.front()));
    box->insertItem(0, automatic);
    if (!present) {
        box->setCurrentIndex(0);
    }
    return box;
}

/// What is chosen in a choiceBox() of that enumeration that has a value for everything.
template<typename Enum>
[[nodiscard]] Enum chosenIn(const QComboBox& box)
{
    return static_cast<Enum>(box.currentData().toInt());
}

/// What is chosen in a choiceBox() with an entry for no value.
template<typename Enum>
[[nodiscard]] std::optional<Enum> chosenOrNoneIn(const QComboBox& box)
{
    return box.currentData().isValid() ? std::optional(chosenIn<Enum>(box)) : std::nullopt;
}

} // namespace qs
