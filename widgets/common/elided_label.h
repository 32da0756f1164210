#pragma once

#include <QLabel>

namespace qs {

/// One line of text that takes what room there is and ends in an ellipsis; the whole text is its tool tip.
class ElidedLabel : public QLabel
{
    Q_OBJECT
public:
    explicit ElidedLabel(Qt::TextElideMode mode, QWidget* parent = nullptr);

    /// `shorter` is shown where the text does not fit, before anything is cut off; may be empty.
    void setFullText(const QString& text, const QString& shorter = {});
    [[nodiscard]] const QString& fullText() const { return m_text; }

    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void resizeEvent(QResizeEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void elide();

    Qt::TextElideMode m_mode;
    QString m_text;
    QString m_shorter;
};

} // namespace qs
