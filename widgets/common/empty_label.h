#pragma once

#include <QLabel>

namespace qs {

/// What stands in a view that has nothing to show: one calm sentence in the middle, saying what to do.
class EmptyLabel : public QLabel
{
    Q_OBJECT
public:
    explicit EmptyLabel(const QString& text, QWidget* parent = nullptr);
};

} // namespace qs
