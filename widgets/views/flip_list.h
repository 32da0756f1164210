#pragma once

#include "core/eval/sample_outcomes.h"

#include <QString>
#include <QTimer>
#include <QWidget>

#include <vector>

class QLabel;
class QListWidget;

namespace qs {

/// A flip as it is shown.
struct FlipRow
{
    Flip flip;
    QString sampleName;
    QString picture; ///< image file; empty where there is none
    QString text; ///< of a text: what stands in front of the prediction, or its beginning; empty where there
                  ///< is none
    QString before; ///< class of the first plan, by name or number
    QString after;
    QString truth; ///< label; empty where not known

    friend bool operator==(const FlipRow&, const FlipRow&) = default;
};

/// Samples whose prediction differs between two plans: picture, both predictions with their probabilities,
/// and the label. Pictures are decoded one per turn of the event loop, so that a long list does not hold up
/// the window.
class FlipList : public QWidget
{
    Q_OBJECT
public:
    explicit FlipList(QWidget* parent = nullptr);

    /// `before` and `after` name the two plans.
    void setFlips(const QString& before, const QString& after, std::vector<FlipRow> rows);
    void clear(const QString& why);
    [[nodiscard]] const std::vector<FlipRow>& rows() const { return m_rows; }
    [[nodiscard]] QListWidget* list() const { return m_list; }

signals:
    void flipChosen(qint64 sample); ///< by the user: show where the two plans part

private:
    void loadNextPicture();

    std::vector<FlipRow> m_rows;
    QLabel* m_caption;
    QListWidget* m_list;
    QTimer m_loader;
    std::size_t m_nextPicture = 0;
};

} // namespace qs
