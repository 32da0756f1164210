#pragma once

#include <QByteArray>

#include <vector>

class QDockWidget;
class QMainWindow;
class QMenu;
class QString;
class QWidget;

namespace qs {

class BitsMatrixView;
class BudgetView;
class CalibrationView;
class CompareView;
class DistributionView;
class ErrorStrip;
class JobPanel;
class MessageBanner;
class QuantizerInspector;
class ReconstructionView;
class ReparameterizationView;
class SensitivityChart;
class SiteTreeView;

/// Every view of the window, each in its place: the distribution in the centre, the others in docks around
/// it. A new view is a member here, a dock in the constructor, and a controller that fills it.
class Views
{
public:
    /// Makes the views as children of the window; the docks' switches are added to `viewMenu`.
    Views(QMainWindow* window, QMenu* viewMenu);

    /// Every dock where it belongs, in proportion to the window as it is now; columns and splitter as they
    /// were made.
    void arrange();

    MessageBanner* banner;
    DistributionView* distribution;
    ErrorStrip* errors;
    SiteTreeView* tree;
    QuantizerInspector* inspector;
    SensitivityChart* sensitivity;
    BudgetView* budget;
    BitsMatrixView* bits;
    CompareView* compare;
    CalibrationView* calibration;
    JobPanel* jobs;
    ReconstructionView* reconstruction;
    ReparameterizationView* reparameterization;

private:
    QDockWidget* addDock(const QString& title, const QString& name, QWidget* widget, Qt::DockWidgetArea area);

    QByteArray m_treeState; ///< as they are made
    QByteArray m_distributionState;
    QMainWindow* m_window;
    QMenu* m_viewMenu;
    QDockWidget* m_left;
    QDockWidget* m_right;
    std::vector<QDockWidget*> m_tabs; ///< at the bottom, from left to right
};

} // namespace qs
