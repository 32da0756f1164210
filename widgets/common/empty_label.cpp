#include "widgets/common/empty_label.h"

namespace qs {

EmptyLabel::EmptyLabel(const QString& text, QWidget* parent)
    : QLabel(text, parent)
{
    setAlignment(Qt::AlignCenter);
    setWordWrap(true);
    setMargin(16);
    setBackgroundRole(QPalette::Base);
    setForegroundRole(QPalette::PlaceholderText);
    setAutoFillBackground(true);
}

} // namespace qs
