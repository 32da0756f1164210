#include "app/ui/views.h"

#include "widgets/common/error_strip.h"
#include "widgets/common/message_banner.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/views/bits_matrix_view.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/job_panel.h"
#include "widgets/views/quantizer_inspector.h"
#include "widgets/views/site_tree_view.h"

#include <QCoreApplication>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>
#include <QVBoxLayout>

namespace qs {

namespace {

QString translated(const char* text)
{
    return QCoreApplication::translate("qs::Views", text);
}

} // namespace

Views::Views(QMainWindow* window, QMenu* viewMenu)
    : banner(new MessageBanner)
    , distribution(new DistributionView)
    , errors(new ErrorStrip)
    , tree(new SiteTreeView)
    , inspector(new QuantizerInspector)
    , sensitivity(new SensitivityChart)
    , bits(new BitsMatrixView)
    , compare(new CompareView)
    , jobs(new JobPanel)
    , m_window(window)
    , m_viewMenu(viewMenu)
{
    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->addWidget(banner);
    layout->addWidget(distribution, 1);
    layout->addWidget(errors);
    window->setCentralWidget(centre);

    window->setDockOptions(
        QMainWindow::AnimatedDocks | QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
    window->setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    QDockWidget* left = addDock(translated(QT_TRANSLATE_NOOP("qs::Views", "Model")),
        QStringLiteral("modelDock"), tree, Qt::LeftDockWidgetArea);
    QDockWidget* right = addDock(translated(QT_TRANSLATE_NOOP("qs::Views", "Quantizer")),
        QStringLiteral("quantizerDock"), inspector, Qt::RightDockWidgetArea);

    // The tabs at the bottom, from left to right.
    const struct
    {
        const char* title;
        const char* name; ///< what saveState() knows it by
        QWidget* widget;
    } tabs[] = {
        {QT_TRANSLATE_NOOP("qs::Views", "Sensitivity"), "sensitivityDock", sensitivity},
        {QT_TRANSLATE_NOOP("qs::Views", "Bits"), "bitsDock", bits},
        {QT_TRANSLATE_NOOP("qs::Views", "Compare"), "metricsDock", compare},
        {QT_TRANSLATE_NOOP("qs::Views", "Jobs"), "jobsDock", jobs},
    };
    QDockWidget* first = nullptr;
    QDockWidget* last = nullptr;
    for (const auto& tab : tabs) {
        QDockWidget* dock
            = addDock(translated(tab.title), QLatin1String(tab.name), tab.widget, Qt::BottomDockWidgetArea);
        if (last != nullptr) {
            window->tabifyDockWidget(last, dock);
        }
        first = first == nullptr ? dock : first;
        last = dock;
    }
    first->raise();
    window->resizeDocks({left, right}, {470, 300}, Qt::Horizontal);
    window->resizeDocks({first}, {270}, Qt::Vertical);
}

QDockWidget* Views::addDock(
    const QString& title, const QString& name, QWidget* widget, Qt::DockWidgetArea area)
{
    auto* dock = new QDockWidget(title, m_window);
    dock->setObjectName(name);
    dock->setWidget(widget);
    m_window->addDockWidget(area, dock);
    m_viewMenu->addAction(dock->toggleViewAction());
    return dock;
}

} // namespace qs
