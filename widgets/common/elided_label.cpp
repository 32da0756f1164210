#include "widgets/common/elided_label.h"

#include <QEvent>
#include <QResizeEvent>

namespace qs {

ElidedLabel::ElidedLabel(Qt::TextElideMode mode, QWidget* parent)
    : QLabel(parent)
    , m_mode(mode)
{
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ElidedLabel::setFullText(const QString& text, const QString& shorter)
{
    if (text == m_text && shorter == m_shorter) {
        return;
    }
    m_text = text;
    m_shorter = shorter;
    setToolTip(text);
    setAccessibleName(text);
    elide();
}

QSize ElidedLabel::sizeHint() const
{
    return {fontMetrics().averageCharWidth() * 12, QLabel::sizeHint().height()};
}

QSize ElidedLabel::minimumSizeHint() const
{
    return {0, QLabel::minimumSizeHint().height()};
}

void ElidedLabel::resizeEvent(QResizeEvent* event)
{
    QLabel::resizeEvent(event);
    elide();
}

void ElidedLabel::changeEvent(QEvent* event)
{
    QLabel::changeEvent(event);
    if (event->type() == QEvent::FontChange) {
        elide();
    }
}

void ElidedLabel::elide()
{
    const int width = contentsRect().width() - 2 * margin();
    const bool fits = m_shorter.isEmpty() || fontMetrics().horizontalAdvance(m_text) <= width;
    setText(fontMetrics().elidedText(fits ? m_text : m_shorter, m_mode, width));
}

} // namespace qs
