#include "widgets/common/message_banner.h"

#include "widgets/common/icons.h"
#include "widgets/plot/plot_style.h"

#include <QEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QPushButton>
#include <QToolButton>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr int kIconSize = 18;

PlotRole roleOf(BannerKind kind)
{
    switch (kind) {
    case BannerKind::Notice: return PlotRole::Busy;
    case BannerKind::Warning: return PlotRole::Stale;
    case BannerKind::Failure: return PlotRole::Failure;
    }
    return PlotRole::Busy;
}

QString iconNameOf(BannerKind kind)
{
    switch (kind) {
    case BannerKind::Notice: return u"info"_s;
    case BannerKind::Warning: return u"warning"_s;
    case BannerKind::Failure: return u"failure"_s;
    }
    return {};
}

} // namespace

MessageBanner::MessageBanner(QWidget* parent)
    : QFrame(parent)
    , m_icon(new QLabel(this))
    , m_text(new QLabel(this))
    , m_action(new QPushButton(this))
    , m_close(new QToolButton(this))
{
    setAutoFillBackground(true);
    setFrameShape(QFrame::StyledPanel);
    m_text->setWordWrap(true);
    m_text->setTextFormat(Qt::PlainText);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_text->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    m_icon->setFixedSize(kIconSize, kIconSize);
    m_close->setAutoRaise(true);
    m_close->setAccessibleName(tr("Close message"));
    m_close->setToolTip(tr("Close (Esc)"));
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 5, 6, 5);
    layout->setSpacing(8);
    layout->addWidget(m_icon);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action);
    layout->addWidget(m_close);
    m_action->hide(); // until a message offers something
    connect(m_action, &QPushButton::clicked, this, &MessageBanner::actionTriggered);
    connect(m_close, &QToolButton::clicked, this, &MessageBanner::closeByUser);
    hide();
}

void MessageBanner::showMessage(BannerKind kind, const QString& text, const QString& actionText)
{
    m_kind = kind;
    m_text->setText(text);
    m_action->setText(actionText);
    m_action->setVisible(!actionText.isEmpty());
    const QString word = kind == BannerKind::Failure ? tr("Failure")
        : kind == BannerKind::Warning                ? tr("Warning")
                                                     : tr("Notice");
    setAccessibleName(word);
    setAccessibleDescription(text);
    restyle();
    show();
}

void MessageBanner::clear()
{
    hide();
    m_text->clear();
}

QString MessageBanner::text() const
{
    return m_text->text();
}

void MessageBanner::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) {
        restyle(); // setting the same colours again sends no event
    }
}

void MessageBanner::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape) {
        closeByUser();
        return;
    }
    QFrame::keyPressEvent(event);
}

void MessageBanner::restyle()
{
    const QPalette inherited = QGuiApplication::palette(); // the parent's may not have changed yet
    const PlotStyle style(inherited);
    QPalette tinted; // only what it sets is its own: the rest follows the window and tells of a new theme
    tinted.setColor(QPalette::Window, style.tint(roleOf(m_kind)));
    tinted.setColor(QPalette::WindowText, style.text());
    setPalette(tinted);
    m_icon->setPixmap(tintedIcon(iconNameOf(m_kind), style.colour(roleOf(m_kind)))
                          .pixmap(QSize(kIconSize, kIconSize), devicePixelRatio()));
    m_close->setIcon(themedIcon(u"close"_s, inherited));
}

void MessageBanner::closeByUser()
{
    hide();
    emit closed();
}

} // namespace qs
