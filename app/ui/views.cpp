#include "app/ui/views.h"

#include "widgets/common/error_strip.h"
#include "widgets/common/message_banner.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/views/bits_matrix_view.h"
#include "widgets/views/budget_view.h"
#include "widgets/views/calibration_view.h"
#include "widgets/views/compare_view.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/job_panel.h"
#include "widgets/views/quantizer_inspector.h"
#include "widgets/views/reconstruction_view.h"
#include "widgets/views/reparameterization_view.h"
#include "widgets/views/site_tree_view.h"

#include <QCoreApplication>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenu>
#include <QVBoxLayout>

#include <algorithm>

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
    , budget(new BudgetView)
    , bits(new BitsMatrixView)
    , compare(new CompareView)
    , calibration(new CalibrationView)
    , jobs(new JobPanel)
    , reconstruction(new ReconstructionView)
    , reparameterization(new ReparameterizationView)
    , m_window(window)
    , m_viewMenu(viewMenu)
{
    m_treeState = tree->saveState();
    m_distributionState = distribution->saveState();
    window->resize(1600, 1000);
    auto* centre = new QWidget;
    auto* layout = new QVBoxLayout(centre);
    layout->addWidget(banner);
    layout->addWidget(distribution, 1);
    layout->addWidget(errors);
    window->setCentralWidget(centre);

    window->setDockOptions(
        QMainWindow::AnimatedDocks | QMainWindow::AllowNestedDocks | QMainWindow::AllowTabbedDocks);
    window->setCorner(Qt::BottomLeftCorner, Qt::LeftDockWidgetArea);
    m_left = addDock(translated(QT_TRANSLATE_NOOP("qs::Views", "Model")), QStringLiteral("modelDock"), tree,
        Qt::LeftDockWidgetArea);
    m_right = addDock(translated(QT_TRANSLATE_NOOP("qs::Views", "Quantizer")),
        QStringLiteral("quantizerDock"), inspector, Qt::RightDockWidgetArea);
    // The tabs at the bottom, from left to right.
    const struct
    {
        const char* title;
        const char* name; ///< what saveState() knows it by
        QWidget* widget;
    } tabs[] = {
        {QT_TRANSLATE_NOOP("qs::Views", "Sensitivity"), "sensitivityDock", sensitivity},
        {QT_TRANSLATE_NOOP("qs::Views", "Budget"), "budgetDock", budget},
        {QT_TRANSLATE_NOOP("qs::Views", "Bits"), "bitsDock", bits},
        {QT_TRANSLATE_NOOP("qs::Views", "Compare"), "metricsDock", compare},
        {QT_TRANSLATE_NOOP("qs::Views", "Calibration"), "calibrationDock", calibration},
        {QT_TRANSLATE_NOOP("qs::Views", "Jobs"), "jobsDock", jobs},
        {QT_TRANSLATE_NOOP("qs::Views", "Reconstruction"), "reconstructionDock", reconstruction},
        {QT_TRANSLATE_NOOP("qs::Views", "Reparameterization"), "reparameterizationDock", reparameterization},
    };
    for (const auto& tab : tabs) {
        m_tabs.push_back(
            addDock(translated(tab.title), QLatin1String(tab.name), tab.widget, Qt::BottomDockWidgetArea));
    }
    arrange();
}

void Views::arrange()
{
    tree->restoreState(m_treeState);
    distribution->restoreState(m_distributionState);
    const auto place = [this](QDockWidget* dock, Qt::DockWidgetArea area) {
        if (dock->isFloating() || m_window->dockWidgetArea(dock) != area) {
            dock->setFloating(false);
            m_window->addDockWidget(area, dock);
        }
        dock->show();
    };
    place(m_left, Qt::LeftDockWidgetArea);
    place(m_right, Qt::RightDockWidgetArea);
    for (std::size_t i = 0; i < m_tabs.size(); ++i) {
        place(m_tabs[i], Qt::BottomDockWidgetArea);
        if (i > 0 && !m_window->tabifiedDockWidgets(m_tabs.front()).contains(m_tabs[i])) {
            m_window->tabifyDockWidget(m_tabs[i - 1], m_tabs[i]); // else they would ask for room side by side
        }
    }
    m_tabs.front()->raise();
    // At best the tree shows its figures beside the names; the centre needs its width first.
    constexpr int kTreeWidth = 439; ///< up to weight or activation
    constexpr int kNarrowTree = 318; ///< up to the SQNR
    constexpr int kOthers = 1010; ///< centre and inspector
    constexpr int kInspectorWidth = 300;
    m_window->resizeDocks({m_left, m_right},
        {std::clamp(m_window->width() - kOthers, kNarrowTree, kTreeWidth),
            std::min(kInspectorWidth, m_window->width() * 19 / 100)},
        Qt::Horizontal);
    m_window->resizeDocks({m_tabs.front()}, {m_window->height() * 27 / 100}, Qt::Vertical);
}

QDockWidget* Views::addDock(
    const QString& title, const QString& name, QWidget* widget, Qt::DockWidgetArea area)
{
    auto* dock = new QDockWidget(title, m_window);
    dock->setObjectName(name);
    dock->setWidget(widget);
    // Qt keeps views behind another tab visible, outside of sight: they would take the keyboard's focus and
    // work for nobody.
    QSizePolicy policy = widget->sizePolicy();
    policy.setRetainSizeWhenHidden(true);
    widget->setSizePolicy(policy);
    QObject::connect(dock, &QDockWidget::visibilityChanged, widget, &QWidget::setVisible);
    m_window->addDockWidget(area, dock);
    m_viewMenu->addAction(dock->toggleViewAction());
    return dock;
}

} // namespace qs
