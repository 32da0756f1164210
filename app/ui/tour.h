#pragma once

#include <QPointer>
#include <QWidget>

#include <vector>

class QFrame;
class QLabel;
class QPushButton;

namespace qs {

/// One stop of the tour.
struct TourStop
{
    QPointer<QWidget> target; ///< what the text is about; a hidden one is passed over
    QString title;
    QString text;
};

/// A walk through the window for somebody who sees it for the first time: the rest of the window is dimmed,
/// one part stays bright with a few sentences beside it, and can be tried. Arrow keys, Return and the buttons
/// go on and back; Escape and a press anywhere in the dark end it, and that press counts for what lies below.
/// Covers its parent and deletes itself at the end.
class Tour : public QWidget
{
    Q_OBJECT
public:
    Tour(std::vector<TourStop> stops, QWidget* window);

    [[nodiscard]] int stop() const { return m_stop; }

signals:
    void ended();

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void paintEvent(QPaintEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void go(int by);
    void showStop();
    void place(); ///< of the bubble, and of the hole that lets the mouse through to the target
    void end();
    [[nodiscard]] QRect targetRect() const;

    std::vector<TourStop> m_stops;
    int m_stop = -1;
    QFrame* m_bubble;
    QLabel* m_title;
    QLabel* m_text;
    QLabel* m_count;
    QPushButton* m_back;
    QPushButton* m_next;
};

} // namespace qs
