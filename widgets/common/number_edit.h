#pragma once

#include <QAbstractSpinBox>

namespace qs {

/// A real number typed in the user's locale, with up and down steps. Shows significant digits rather than a
/// fixed number of decimals, so that 3.1e-5 and 12.25 both fit. Setters are silent; valueEdited() is the
/// user's hand.
class NumberEdit : public QAbstractSpinBox
{
    Q_OBJECT
public:
    explicit NumberEdit(QWidget* parent = nullptr);

    [[nodiscard]] double value() const { return m_value; }
    /// Shows a value; ignored while the user is in the middle of typing another one.
    void setValue(double value);
    /// Empty until the next value: there is none.
    void showNothing();
    /// Values outside are refused on entry and clamped on stepping; minimum <= maximum.
    void setRange(double minimum, double maximum);
    /// Added on one step up or down; > 0.
    void setStep(double step);
    /// Digits shown, 1..17.
    void setSignificantDigits(int digits);

    void stepBy(int steps) override;
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;
    [[nodiscard]] QValidator::State validate(QString& input, int& position) const override;
    void fixup(QString& input) const override;

signals:
    /// The user entered a number or stepped; always a new, valid value.
    void valueEdited(double value);

protected:
    [[nodiscard]] StepEnabled stepEnabled() const override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    [[nodiscard]] QString textOf(double value) const;
    [[nodiscard]] bool isTyped() const; ///< the text is the user's, not yet the value's
    void showValue();
    void commitText();

    QString m_shownText;
    double m_value = 0.0;
    double m_minimum;
    double m_maximum;
    double m_step = 1.0;
    int m_digits = 5;
};

} // namespace qs
