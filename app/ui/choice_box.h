#pragma once

#include "widgets/common/display_names.h"

#include <QComboBox>
#include <QString>

#include <initializer_list>

namespace qs {

/// A box with values of an enumeration of core, under the names that the user interface has for them.
template<typename Enum>
[[nodiscard]] QComboBox* choiceBox(
    const QString& accessibleName, std::initializer_list<Enum> values, Enum present)
{
    auto* box = new QComboBox;
    box->setAccessibleName(accessibleName);
    for (const Enum value : values) {
        box->addItem(displayName(value), static_cast<int>(value));
    }
    box->setCurrentIndex(box->findData(static_cast<int>(present)));
    return box;
}

/// What is chosen in a choiceBox() of that enumeration.
template<typename Enum>
[[nodiscard]] Enum chosenIn(const QComboBox& box)
{
    return static_cast<Enum>(box.currentData().toInt());
}

} // namespace qs
