#pragma once

#include <QWidget>

namespace qs {

/// Squared error as one bar in two parts: clipping and rounding, with different colours, hatches and labels.
class ErrorSplitBar : public QWidget
{
    Q_OBJECT
public:
    explicit ErrorSplitBar(QWidget* parent = nullptr);

    /// Any unit, both >= 0; both 0 draws an empty bar.
    void setParts(double clipping, double rounding);
    [[nodiscard]] double clippingShare() const; ///< in [0, 1]; 0 without error

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    double m_clipping = 0.0;
    double m_rounding = 0.0;
};

} // namespace qs
