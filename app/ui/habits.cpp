#include "app/ui/habits.h"

#include "app/session/session.h"
#include "app/ui/actions.h"
#include "app/ui/command_palette.h"
#include "app/ui/help_window.h"
#include "app/ui/notices.h"
#include "app/ui/selection.h"
#include "app/ui/settings.h"
#include "app/ui/tour.h"
#include "app/ui/views.h"
#include "core/base/version.h"
#include "widgets/common/display_names.h"
#include "widgets/common/error_strip.h"
#include "widgets/plot/channel_map.h"
#include "widgets/plot/distribution_plot.h"
#include "widgets/plot/plot_menu.h"
#include "widgets/plot/sensitivity_chart.h"
#include "widgets/views/distribution_view.h"
#include "widgets/views/quantizer_inspector.h"
#include "widgets/views/site_tree_view.h"

#include <QAction>
#include <QDockWidget>
#include <QMainWindow>
#include <QMenuBar>
#include <QMessageBox>
#include <QTimer>

#include <array>

namespace qs {

namespace {

constexpr int kTourDelayMs = 600; ///< the first picture should stand before it is explained

} // namespace

Habits::Habits(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
{
    const Actions& actions = *m_bench.actions;
    connect(actions.palette, &QAction::triggered, this, &Habits::search);
    connect(actions.guide, &QAction::triggered, this, &Habits::showGuide);
    connect(actions.tour, &QAction::triggered, this, &Habits::startTour);
    connect(actions.about, &QAction::triggered, this, &Habits::showAbout);
    wireThemes();
    for (const PlotMenu* menu : m_bench.window->findChildren<PlotMenu*>()) {
        connect(menu, &PlotMenu::failed, this,
            [this](const QString& why) { m_bench.notices->fail(tr("Save picture"), why); });
    }
    connect(m_bench.session, &Session::calibrationChanged, this, [this] {
        if (m_bench.session->calibration() && std::exchange(m_tourPending, false)) {
            QTimer::singleShot(kTourDelayMs, this, &Habits::startTour);
        }
    });
}

void Habits::expectDemo()
{
    m_tourPending = !m_bench.settings->isTourSeen();
}

void Habits::wireThemes()
{
    const Actions& actions = *m_bench.actions;
    const std::array themes {std::pair(actions.themeSystem, Theme::System),
        std::pair(actions.themeLight, Theme::Light), std::pair(actions.themeDark, Theme::Dark)};
    for (const auto& [action, theme] : themes) {
        action->setChecked(m_bench.settings->theme() == theme);
        connect(action, &QAction::triggered, this, [this, theme = theme] {
            m_bench.settings->setTheme(theme);
            m_appearance.setTheme(theme);
        });
    }
    m_appearance.setTheme(m_bench.settings->theme());
}

void Habits::search()
{
    std::vector<PaletteEntry> entries = CommandPalette::entriesOf(m_bench.window->menuBar()->actions());
    if (const auto& model = m_bench.session->model()) {
        for (const Site& site : model->sites) {
            const QString name = QString::fromStdString(site.name);
            entries.push_back({name, displayName(site.role),
                [selection = m_bench.selection, name] { selection->select({name}); }});
        }
    }
    auto* palette = new CommandPalette(std::move(entries), m_bench.window);
    palette->show();
}

void Habits::showGuide()
{
    if (m_help == nullptr) {
        m_help = new HelpWindow(m_bench.window);
    }
    m_help->open(QStringLiteral("guide.md"));
}

void Habits::startTour()
{
    if (m_tour) {
        return;
    }
    m_bench.settings->setTourSeen();
    const Views& views = *m_bench.views;
    if (auto* dock = qobject_cast<QDockWidget*>(views.sensitivity->parentWidget())) {
        dock->raise(); // the last stop must be seen
    }
    std::vector<TourStop> stops {
        {views.tree, tr("Sites"),
            tr("Every place where a quantizer can stand, block by block. Select one to look at it, or "
               "several "
               "to edit them together; the filter takes names and roles.")},
        {views.distribution->channelMap(), tr("Channels"),
            tr("Each column is a channel. After a LayerNorm a few are often many times wider than the rest: "
               "they spoil a common scale. Click a channel, or drag across several.")},
        {views.distribution->distributionPlot(), tr("Drag a bound"),
            tr("Try it now: take one of the two upright lines and move it inwards. What lies outside is "
               "clipped; below you see where the squared error comes from. Escape takes the movement back, "
               "Ctrl+Z any edit.")},
        {views.errors, tr("Three errors"),
            tr("The tensor's error follows your hand, then that of the layer that reads it, then that of the "
               "whole model on a few samples.")},
        {views.inspector, tr("Quantizer"),
            tr("Bits, quantizer and granularity of the selected sites. Try one scale per channel and watch "
               "the errors fall; Apply to role does the same for all sites of this kind.")},
        {views.sensitivity, tr("Sensitivity"),
            tr("Run › Sensitivity quantizes one site at a time and shows which ones hurt. Click a bar to go "
               "there.")},
    };
    m_tour = new Tour(std::move(stops), m_bench.window);
}

void Habits::showAbout()
{
    QMessageBox::about(m_bench.window, tr("About Quantoscope"),
        tr("<h3>Quantoscope %1</h3><p>An instrument for post-training quantization of transformers.</p>"
           "<p>Free software under the GNU General Public License, version 3 or later.</p>")
            .arg(QLatin1String(kVersion)));
}

} // namespace qs
