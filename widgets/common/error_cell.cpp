#include "widgets/common/error_cell.h"

#include "widgets/common/display_names.h"
#include "widgets/common/icons.h"
#include "widgets/plot/plot_style.h"

#include <QGridLayout>
#include <QLabel>
#include <QResizeEvent>

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
    , m_subject(new QLabel(this))
    , m_stateIcon(new QLabel(this))
    , m_stateText(new QLabel(this))
    , m_headline(new QLabel(this))
    , m_details(new QLabel(this))
{
    setFrameShape(QFrame::StyledPanel);
    setAutoFillBackground(true);
    setBackgroundRole(QPalette::Base);
    for (QLabel* label : {m_subject, m_details}) {
        label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Fixed);
        label->setForegroundRole(QPalette::PlaceholderText);
    }
    m_stateIcon->setFixedSize(kIconSize, kIconSize);
    m_details->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    auto* layout = new QGridLayout(this);
    layout->setContentsMargins(10, 5, 10, 5);
    layout->setHorizontalSpacing(8);
    layout->setVerticalSpacing(1);
    layout->addWidget(m_captionLabel, 0, 0);
    layout->addWidget(m_subject, 0, 1);
    layout->addWidget(m_stateIcon, 0, 2);
    layout->addWidget(m_stateText, 0, 3);
    layout->addWidget(m_headline, 1, 0);
    layout->addWidget(m_details, 1, 1, 1, 3);
    layout->setColumnStretch(1, 1);
    setMinimumWidth(200);
    restyle();
    clearFigures();
}

void ErrorCell::setFigures(const QString& subject, const QString& headline, const QString& details)
{
    m_subjectText = subject;
    m_detailsText = details;
    m_headline->setText(headline);
    elideTexts();
    setAccessibleDescription(text());
}

void ErrorCell::clearFigures()
{
    m_subjectText.clear();
    m_detailsText = m_emptyText;
    m_headline->setText(u"\u2013"_s);
    elideTexts();
    setAccessibleDescription(m_emptyText);
}

void ErrorCell::setState(ResultState state)
{
    m_state = state;
    restyle();
}

QString ErrorCell::text() const
{
    return QStringList {m_subjectText, m_headline->text(), m_detailsText}.join(u' ').simplified();
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
    m_headline->setFont(headline);
    m_details->setFont(style.labelFont());
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
    // A value that is not of the present plan stands back.
    QPalette value = palette();
    if (m_state != ResultState::Live) {
        value.setColor(QPalette::WindowText, style.mutedText());
    }
    m_headline->setPalette(value);
    setAccessibleName(m_state == ResultState::None ? m_caption : m_caption + u", "_s + displayName(m_state));
    elideTexts();
}

void ErrorCell::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    elideTexts();
}

void ErrorCell::elideTexts()
{
    m_subject->setText(
        m_subject->fontMetrics().elidedText(m_subjectText, Qt::ElideMiddle, m_subject->width()));
    m_details->setText(
        m_details->fontMetrics().elidedText(m_detailsText, Qt::ElideRight, m_details->width()));
    setToolTip(text());
}

} // namespace qs
