#include "widgets/plot/sensitivity_menu.h"

#include <QAction>
#include <QMenu>

#include <algorithm>
#include <array>

namespace qs {

namespace {

constexpr std::array kWidths {2, 3, 4, 5, 6, 8};

} // namespace

SensitivityMenu::SensitivityMenu(QWidget* parent)
    : QToolButton(parent)
{
    auto* menu = new QMenu(this);
    m_planned = menu->addAction(tr("Bits as planned"));
    m_planned->setCheckable(true);
    connect(m_planned, &QAction::triggered, this, [this] { setWidths({}); });
    for (const int bits : kWidths) {
        QAction* action = menu->addAction(tr("%1 bit").arg(bits));
        action->setCheckable(true);
        action->setData(bits);
        connect(action, &QAction::triggered, this, &SensitivityMenu::showChoice);
        m_widths.push_back(action);
    }
    menu->addSeparator();
    m_causes = menu->addAction(tr("Clipping and rounding alone"));
    m_causes->setCheckable(true);
    m_causes->setToolTip(tr("Three measurements a site instead of one where values are clipped"));
    menu->addSeparator();
    connect(menu->addAction(tr("Measure")), &QAction::triggered, this, &SensitivityMenu::measureRequested);
    menu->setToolTipsVisible(true);
    setMenu(menu);
    setPopupMode(QToolButton::InstantPopup);
    setAccessibleName(tr("What to measure"));
    setToolTip(tr("At which bits every site is measured, and what of it"));
    showChoice();
}

std::vector<int> SensitivityMenu::widths() const
{
    std::vector<int> chosen;
    for (const QAction* action : m_widths) {
        if (action->isChecked()) {
            chosen.push_back(action->data().toInt());
        }
    }
    return chosen;
}

void SensitivityMenu::setWidths(const std::vector<int>& widths)
{
    for (QAction* action : m_widths) {
        action->setChecked(std::ranges::find(widths, action->data().toInt()) != widths.end());
    }
    showChoice();
}

bool SensitivityMenu::causes() const
{
    return m_causes->isChecked();
}

void SensitivityMenu::setCauses(bool causes)
{
    m_causes->setChecked(causes);
}

void SensitivityMenu::showChoice()
{
    QStringList chosen;
    for (const int bits : widths()) {
        chosen << QString::number(bits);
    }
    m_planned->setChecked(chosen.isEmpty());
    setText(chosen.isEmpty() ? tr("bits as planned") : tr("%1 bit").arg(chosen.join(QStringLiteral(", "))));
}

} // namespace qs
