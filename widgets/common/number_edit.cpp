#include "widgets/common/number_edit.h"

#include <QKeyEvent>
#include <QLineEdit>
#include <QStyle>
#include <QStyleOptionSpinBox>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace Qt::StringLiterals;

namespace qs {

NumberEdit::NumberEdit(QWidget* parent)
    : QAbstractSpinBox(parent)
    , m_minimum(-std::numeric_limits<double>::max())
    , m_maximum(std::numeric_limits<double>::max())
{
    setKeyboardTracking(false);
    setCorrectionMode(QAbstractSpinBox::CorrectToPreviousValue);
    lineEdit()->setAlignment(Qt::AlignRight);
    connect(this, &QAbstractSpinBox::editingFinished, this, &NumberEdit::commitText);
    showValue();
}

void NumberEdit::setValue(double value)
{
    const bool isTyping = hasFocus() && isTyped();
    m_value = value;
    if (!isTyping) {
        showValue();
    }
}

void NumberEdit::showNothing()
{
    m_shownText.clear();
    lineEdit()->clear();
}

void NumberEdit::setRange(double minimum, double maximum)
{
    m_minimum = minimum;
    m_maximum = maximum;
}

void NumberEdit::setStep(double step)
{
    m_step = step > 0.0 && std::isfinite(step) ? step : 1.0;
}

void NumberEdit::setSignificantDigits(int digits)
{
    m_digits = std::clamp(digits, 1, 17);
    showValue();
}

void NumberEdit::stepBy(int steps)
{
    commitText();
    const double next = std::clamp(m_value + steps * m_step, m_minimum, m_maximum);
    if (next == m_value) {
        return;
    }
    m_value = next;
    showValue();
    selectAll();
    emit valueEdited(m_value);
}

QSize NumberEdit::sizeHint() const
{
    QStyleOptionSpinBox option;
    initStyleOption(&option);
    const QFontMetrics metrics(fontMetrics());
    const QSize content(metrics.horizontalAdvance(u"-0.00000e-00 "_s), lineEdit()->sizeHint().height());
    return style()->sizeFromContents(QStyle::CT_SpinBox, &option, content, this);
}

QSize NumberEdit::minimumSizeHint() const
{
    return {sizeHint().width() * 3 / 4, sizeHint().height()};
}

QValidator::State NumberEdit::validate(QString& input, int&) const
{
    bool isNumber = false;
    const double value = locale().toDouble(input.trimmed(), &isNumber);
    if (isNumber && std::isfinite(value)) {
        return value >= m_minimum && value <= m_maximum ? QValidator::Acceptable : QValidator::Intermediate;
    }
    const QString allowed = u"0123456789eE+-\u2212 "_s + locale().decimalPoint() + locale().groupSeparator();
    const bool couldBecome = std::all_of(
        input.cbegin(), input.cend(), [&allowed](QChar character) { return allowed.contains(character); });
    return couldBecome ? QValidator::Intermediate : QValidator::Invalid;
}

void NumberEdit::fixup(QString& input) const
{
    input = textOf(m_value);
}

QAbstractSpinBox::StepEnabled NumberEdit::stepEnabled() const
{
    StepEnabled enabled = StepNone;
    if (isReadOnly()) {
        return enabled;
    }
    enabled.setFlag(StepUpEnabled, m_value < m_maximum);
    enabled.setFlag(StepDownEnabled, m_value > m_minimum);
    return enabled;
}

void NumberEdit::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && isTyped()) {
        showValue();
        selectAll();
        event->accept();
        return;
    }
    QAbstractSpinBox::keyPressEvent(event);
}

QString NumberEdit::textOf(double value) const
{
    return locale().toString(value, 'g', m_digits);
}

bool NumberEdit::isTyped() const
{
    return lineEdit()->text() != m_shownText;
}

void NumberEdit::showValue()
{
    m_shownText = textOf(m_value);
    lineEdit()->setText(m_shownText);
}

void NumberEdit::commitText()
{
    if (!isTyped()) {
        return; // what is shown is rounded: reading it back would move the value
    }
    bool isNumber = false;
    const double value = locale().toDouble(lineEdit()->text().trimmed(), &isNumber);
    if (!isNumber || !std::isfinite(value) || value < m_minimum || value > m_maximum || value == m_value) {
        showValue();
        return;
    }
    m_value = value;
    showValue();
    emit valueEdited(m_value);
}

} // namespace qs
