#include "app/ui/budget_controller.h"

#include "app/session/session.h"
#include "app/ui/actions.h"
#include "app/ui/views.h"
#include "core/eval/plan_figures.h"
#include "widgets/common/number_format.h"
#include "widgets/views/budget_view.h"

#include <QAction>
#include <QEvent>
#include <QLocale>

namespace qs {

namespace {

constexpr int kQuietMs = 100;

} // namespace

BudgetController::BudgetController(const Workbench& bench)
    : QObject(bench.controllers)
    , m_bench(bench)
    , m_view(bench.views->budget)
{
    m_quiet.setSingleShot(true);
    m_quiet.setInterval(kQuietMs);
    connect(&m_quiet, &QTimer::timeout, this, &BudgetController::show);
    const auto later = [this] { m_quiet.start(); };
    connect(m_bench.session, &Session::documentChanged, this, later);
    connect(m_bench.session, &Session::formChanged, this, later);
    connect(m_bench.session, &Session::choicesChanged, this, later);
    connect(m_bench.session, &Session::sensitivityChanged, this, later);
    connect(m_view, &BudgetView::kindChanged, this, &BudgetController::show);
    connect(m_view->chart(), &BudgetChart::budgetEdited, this, &BudgetController::editBudget);
    m_view->chart()->setEmptyText(tr(
        "A budget needs sensitivities at two or more widths.\n\nChoose them at the left of Sensitivity, then "
        "Run › Sensitivity (%1).")
                                      .arg(m_bench.actions->sensitivity->shortcut().toString(
                                          QKeySequence::NativeText)));
    m_view->installEventFilter(this);
}

bool BudgetController::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Show) {
        m_quiet.start();
    }
    return QObject::eventFilter(watched, event);
}

BudgetKind BudgetController::kind() const
{
    return m_view->isForActivations() ? BudgetKind::Activations : BudgetKind::Weights;
}

void BudgetController::show()
{
    if (!m_view->isVisible()) {
        return; // it asks when it is shown
    }
    const Session& session = *m_bench.session;
    const auto& sensitivities = session.sensitivity().value;
    AllocationProblem problem;
    if (session.model() && sensitivities) {
        problem = allocationProblem(*session.model(), session.plan(), *sensitivities, kind());
    }
    m_front = allocationFront(problem.items, problem.fixedNoise);
    std::vector<BudgetPoint> points;
    for (const Allocation& each : m_front) {
        points.push_back({each.meanBits, each.predictedSqnrDb()});
    }
    BudgetChart* chart = m_view->chart();
    chart->setEnabled(!session.isReadOnly());
    chart->setFront(std::move(points));
    chart->setPresent(m_front.empty()
            ? std::nullopt
            : std::optional(BudgetPoint {problem.present.meanBits, problem.present.predictedSqnrDb()}));
    showReadout();
}

void BudgetController::showReadout()
{
    const int chosen = m_view->chart()->chosen();
    if (chosen < 0 || chosen >= static_cast<int>(m_front.size())) {
        m_view->setReadout({});
        return;
    }
    const Allocation& best = m_front[static_cast<std::size_t>(chosen)];
    const Session& session = *m_bench.session;
    const PlanFigures figures = planFigures(*session.model(), withBits(session.plan(), best));
    const QString size = QLocale().toString(static_cast<double>(figures.bytes) / 1e6, 'f', 2);
    m_view->setReadout(
        tr("within %1 bits: %2 predicted at %3 bits on average, %4 MB with everything else of the model")
            .arg(formatNumber(m_view->chart()->budget()), formatDecibel(best.predictedSqnrDb()),
                formatNumber(best.meanBits), size),
        tr("%1 bits: %2 predicted, %3 MB")
            .arg(formatNumber(best.meanBits), formatDecibel(best.predictedSqnrDb()), size));
}

void BudgetController::editBudget(double meanBits, EditPhase phase)
{
    showReadout();
    const Allocation* best = withinBudget(m_front, meanBits);
    if (phase != EditPhase::End || best == nullptr) {
        return;
    }
    Session& session = *m_bench.session;
    ChoiceMap choices;
    for (const auto& [site, bits] : best->bits) {
        choices[site] = session.choice(site);
        choices[site].bits = bits;
    }
    const QString bits = formatNumber(best->meanBits);
    session.edit(choices,
        kind() == BudgetKind::Weights ? tr("weights of %1 bits on average").arg(bits)
                                      : tr("activations of %1 bits on average").arg(bits));
}

} // namespace qs
