#include "widgets/common/error_cell.h"

#include "widgets/common/display_names.h"
#include "widgets/common/elided_label.h"
#include "widgets/common/icons.h"
#include "widgets/plot/plot_style.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

constexpr int kIconSize = 14;

} // namespace

ErrorCell::ErrorCell(const QString& caption, const QString& emptyText, QWidget* parent)
    : QFrame(parent)
    , m_caption(caption)
    , m_emptyText(emptyText)
    , m_captionLabel(new QLabel(caption, this))
    , m_subject(new ElidedLabel(Qt::ElideMiddle, this))
    , m_stateIcon(new QLabel(this))
    , m_stateText(new QLabel(this))
    , m_headline(new QLabel(this))
    , m_details(new ElidedLabel(Qt::ElideRight, this))
{
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    for (ElidedLabel* label : {m_subject, m_details}) {
        label->setForegroundRole(QPalette::PlaceholderText);
    }
    m_subject->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    m_stateIcon->setFixedSize(kIconSize, kIconSize);
    auto* top = new QHBoxLayout;
    top->setSpacing(5);
    top->addWidget(m_captionLabel);
    top->addStretch(1);
    top->addWidget(m_stateIcon);
    top->addWidget(m_stateText);
    auto* middle = new QHBoxLayout;
    middle->setSpacing(10);
    middle->addWidget(m_headline);
    middle->addWidget(m_subject, 1);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(10, 5, 10, 5);
    layout->setSpacing(2);
    layout->addLayout(top);
    layout->addLayout(middle);
    layout->addWidget(m_details);
    setMinimumWidth(200);
    restyle();
    clearFigures();
}

void ErrorCell::setFigures(
    const QString& subject, const QString& headline, const QString& details, const Shorter& shorter)
{
    m_subject->setFullText(subject, shorter.subject);
    m_details->setFullText(details, shorter.details);
    m_headline->setText(headline);
    setToolTip(text());
    setAccessibleDescription(text());
}

void ErrorCell::clearFigures()
{
    m_subject->setFullText({});
    m_details->setFullText(m_emptyText);
    m_headline->setText(u"\u2013"_s);
    setToolTip({});
    setAccessibleDescription(m_emptyText);
}

void ErrorCell::setState(ResultState state)
{
    m_state = state;
    restyle();
}

QString ErrorCell::text() const
{
    return QStringList {m_subject->fullText(), m_headline->text(), m_details->fullText()}
        .join(u' ')
        .simplified();
}

void ErrorCell::restyle()
{
    const PlotStyle style(palette());
    QFont caption = font();
    caption.setWeight(QFont::DemiBold);
    m_captionLabel->setFont(caption);
    QFont headline = font();
    headline.setPointSizeF(headline.pointSizeF() * 1.35);
    headline.setWeight(QFont::DemiBold);
    m_details->setFont(style.labelFont());
    m_subject->setFont(style.labelFont());
    m_stateText->setFont(style.labelFont());
    m_stateText->setText(displayName(m_state));
    m_stateIcon->setPixmap(
        stateIcon(m_state, palette()).pixmap(QSize(kIconSize, kIconSize), devicePixelRatio()));
    const PlotRole role = m_state == ResultState::Live ? PlotRole::Good
        : m_state == ResultState::Computing            ? PlotRole::Busy
                                                       : PlotRole::Stale;
    QPalette coloured = palette();
    coloured.setColor(QPalette::WindowText, style.colour(role));
    m_stateText->setPalette(coloured);
    // A value that is not of the present plan stands back, slanted.
    headline.setItalic(m_state == ResultState::Stale);
    m_headline->setFont(headline);
    QPalette value = palette();
    if (m_state != ResultState::Live) {
        value.setColor(QPalette::WindowText, style.mutedText());
    }
    m_headline->setPalette(value);
    setAccessibleName(m_state == ResultState::None ? m_caption : m_caption + u", "_s + displayName(m_state));
}

} // namespace qs
