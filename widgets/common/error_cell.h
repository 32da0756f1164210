#pragma once

#include "widgets/common/result_state.h"

#include <QFrame>

class QLabel;

namespace qs {

class ElidedLabel;

/// One cell of the ErrorStrip: caption, state (icon, word and colour), a headline figure and a line of
/// details.
class ErrorCell : public QFrame
{
    Q_OBJECT
public:
    ErrorCell(const QString& caption, const QString& emptyText, QWidget* parent = nullptr);

    /// What stands in a narrow cell in place of the whole; may be empty.
    struct Shorter
    {
        QString subject;
        QString details;
    };
    /// `subject` names what is measured (site, layer, sample count); elided to fit.
    void setFigures(
        const QString& subject, const QString& headline, const QString& details, const Shorter& shorter = {});
    void clearFigures();
    void setState(ResultState state);
    [[nodiscard]] ResultState state() const { return m_state; }
    [[nodiscard]] QString text() const;
    /// Colours and icons again from the palette.
    void restyle();

private:
    QString m_caption;
    QString m_emptyText;
    ResultState m_state = ResultState::None;
    QLabel* m_captionLabel;
    ElidedLabel* m_subject;
    QLabel* m_stateIcon;
    QLabel* m_stateText;
    QLabel* m_headline;
    ElidedLabel* m_details;
};

} // namespace qs
