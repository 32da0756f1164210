#include "app/ui/tour.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPainter>
#include <QPainterPath>
#include <QPushButton>
#include <QVBoxLayout>
#include <QWindow>

#include <algorithm>
#include <utility>

namespace qs {

namespace {

constexpr int kBubbleWidth = 360;
constexpr int kGap = 14; ///< between target and bubble
constexpr int kRing = 3;

} // namespace

Tour::Tour(std::vector<TourStop> stops, QWidget* window)
    : QWidget(window)
    , m_stops(std::move(stops))
    , m_bubble(new QFrame(this))
    , m_title(new QLabel(m_bubble))
    , m_text(new QLabel(m_bubble))
    , m_count(new QLabel(m_bubble))
    , m_back(new QPushButton(tr("&Back"), m_bubble))
    , m_next(new QPushButton(m_bubble))
{
    setAttribute(Qt::WA_DeleteOnClose);
    setFocusPolicy(Qt::StrongFocus);
    setAccessibleName(tr("Tour"));
    QFont bold = font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_text->setWordWrap(true);
    m_count->setForegroundRole(QPalette::PlaceholderText);
    m_bubble->setAutoFillBackground(true);
    m_bubble->setFrameShape(QFrame::StyledPanel);
    m_bubble->setFixedWidth(kBubbleWidth);
    auto* close = new QPushButton(tr("&End tour"), m_bubble);
    connect(close, &QPushButton::clicked, this, &Tour::end);
    connect(m_back, &QPushButton::clicked, this, [this] { go(-1); });
    connect(m_next, &QPushButton::clicked, this, [this] { go(1); });
    for (QPushButton* button : {close, m_back, m_next}) {
        button->installEventFilter(this); // it would take the arrows for itself
    }
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_count);
    buttons->addStretch(1);
    buttons->addWidget(close);
    buttons->addWidget(m_back);
    buttons->addWidget(m_next);
    auto* layout = new QVBoxLayout(m_bubble);
    layout->addWidget(m_title);
    layout->addWidget(m_text);
    layout->addLayout(buttons);
    window->installEventFilter(this);
    if (QWindow* surface = window->window()->windowHandle()) {
        surface->installEventFilter(this); // sees a press before it is known which widget it is for
    }
    setGeometry(window->rect());
    show();
    raise();
    go(1);
}

bool Tour::eventFilter(QObject* watched, QEvent* event)
{
    switch (event->type()) {
    case QEvent::KeyPress:
        if (const auto* key = static_cast<QKeyEvent*>(event);
            watched->parent() == m_bubble && (key->key() == Qt::Key_Left || key->key() == Qt::Key_Right)) {
            go(key->key() == Qt::Key_Right ? 1 : -1);
            return true;
        }
        break;
    case QEvent::Resize:
    case QEvent::Move:
        if (watched->isWidgetType()) { // the window, or the target in it
            setGeometry(parentWidget()->rect());
            place();
        }
        break;
    case QEvent::MouseButtonPress:
        if (!watched->isWidgetType()) {
            const QPoint at = mapFromGlobal(static_cast<QMouseEvent*>(event)->globalPosition().toPoint());
            if (!targetRect().contains(at) && !m_bubble->geometry().contains(at)) {
                setAttribute(Qt::WA_TransparentForMouseEvents); // hiding now would disturb the press
                QMetaObject::invokeMethod(this, &Tour::end, Qt::QueuedConnection);
            }
        }
        break;
    default: break;
    }
    return QWidget::eventFilter(watched, event);
}

void Tour::go(int by)
{
    int next = m_stop + by;
    const auto hidden = [this](int stop) {
        const auto& target = m_stops[static_cast<std::size_t>(stop)].target;
        return !target || !target->isVisible();
    };
    while (next >= 0 && next < static_cast<int>(m_stops.size()) && hidden(next)) {
        next += by;
    }
    if (next >= static_cast<int>(m_stops.size())) {
        end();
    } else if (next >= 0) {
        m_stop = next;
        showStop();
    }
}

QRect Tour::targetRect() const
{
    const QWidget* target = m_stop < 0 ? nullptr : m_stops[static_cast<std::size_t>(m_stop)].target.data();
    if (target == nullptr) {
        return {};
    }
    return QRect(mapFromGlobal(target->mapToGlobal(QPoint(0, 0))), target->size());
}

void Tour::showStop()
{
    if (m_stop < 0) {
        return;
    }
    const TourStop& stop = m_stops[static_cast<std::size_t>(m_stop)];
    stop.target->installEventFilter(this); // it may be resized while it is tried
    m_title->setText(stop.title);
    m_text->setText(stop.text);
    m_count->setText(tr("%1 of %2").arg(m_stop + 1).arg(m_stops.size()));
    m_back->setEnabled(m_stop > 0);
    m_next->setText(m_stop + 1 == static_cast<int>(m_stops.size()) ? tr("&Done") : tr("&Next"));
    m_bubble->adjustSize();
    m_next->setDefault(true);
    m_next->setFocus();
    setAccessibleDescription(stop.title + QStringLiteral(". ") + stop.text);
    place();
}

void Tour::place()
{
    const QRect target = targetRect();
    const QSize size = m_bubble->size();
    // Beside the target where there is room: right, left, below, above; else inside it.
    QPoint corner(target.right() + kGap, target.top());
    if (corner.x() + size.width() > width()) {
        corner.setX(target.left() - kGap - size.width());
    }
    if (corner.x() < 0) {
        corner = {target.left(), target.bottom() + kGap};
        if (corner.y() + size.height() > height()) {
            corner.setY(target.top() - kGap - size.height());
        }
    }
    corner.setX(std::clamp(corner.x(), 8, std::max(8, width() - size.width() - 8)));
    corner.setY(std::clamp(corner.y(), 8, std::max(8, height() - size.height() - 8)));
    m_bubble->move(corner);
    setMask(QRegion(rect()).subtracted(target).united(m_bubble->geometry()));
    update();
    if (const auto& shown = m_stops[static_cast<std::size_t>(std::max(m_stop, 0))].target) {
        for (QWidget* part : shown->findChildren<QWidget*>()) {
            part->update(); // bright again: opaque parts are not asked to by the mask
        }
    }
}

void Tour::end()
{
    emit ended();
    close();
}

void Tour::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    QPainterPath dim;
    dim.addRect(QRectF(rect()));
    const QRectF bright = QRectF(targetRect()).adjusted(-kRing, -kRing, kRing, kRing);
    QPainterPath hole;
    hole.addRoundedRect(bright, 5.0, 5.0);
    painter.fillPath(dim.subtracted(hole), QColor(0, 0, 0, 110));
    painter.setPen(QPen(palette().color(QPalette::Highlight), kRing));
    painter.drawPath(hole);
}

void Tour::keyPressEvent(QKeyEvent* event)
{
    switch (event->key()) {
    case Qt::Key_Escape: end(); break;
    case Qt::Key_Right:
    case Qt::Key_Return:
    case Qt::Key_Enter: go(1); break;
    case Qt::Key_Left: go(-1); break;
    default: QWidget::keyPressEvent(event);
    }
}

} // namespace qs
