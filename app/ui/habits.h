#pragma once

#include "app/ui/appearance.h"
#include "app/ui/workbench.h"

#include <QObject>
#include <QPointer>

namespace qs {

class HelpWindow;
class Tour;

/// What every program has: the search for actions, light and dark, help, the tour, about.
class Habits : public QObject
{
    Q_OBJECT
public:
    explicit Habits(const Workbench& bench);

    /// The tour begins when the demo is calibrated, unless it was seen before.
    void expectDemo();

private:
    void wireThemes();
    void search();
    void showGuide();
    void startTour();
    void showAbout();

    const Workbench m_bench;
    Appearance m_appearance;
    HelpWindow* m_help = nullptr; ///< made when first asked for
    QPointer<Tour> m_tour;
    bool m_tourPending = false;
};

} // namespace qs
