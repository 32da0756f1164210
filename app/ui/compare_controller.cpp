#include "app/ui/compare_controller.h"

#include "core/eval/plan_resolver.h"
#include "core/models/model_task.h"
#include "core/text/token_texts.h"
#include "widgets/views/compare_view.h"

#include <QInputDialog>
#include <QItemSelectionModel>
#include <QTableWidget>

#include <algorithm>
#include <span>

namespace qs {

namespace {

const QString kTraceKey = QStringLiteral("trace");
const QString kTextsKey = QStringLiteral("flip-texts");
constexpr std::size_t kShownTokens = 16;

/// Layers in network order, without repetition.
std::vector<QString> layersOf(const Model& model)
{
    std::vector<QString> layers;
    for (const Site& site : model.sites) {
        const QString layer = QString::fromStdString(site.layer);
        if (std::ranges::find(layers, layer) == layers.end()) {
            layers.push_back(layer);
        }
    }
    return layers;
}

/// One of the two plans that are compared, with all that it takes to run it.
struct Side
{
    Plan plan;
    std::shared_ptr<const ModelForm> form;
    std::shared_ptr<const Model> model;
    std::shared_ptr<const Calibration> calibration;

    [[nodiscard]] ResolvedPlan resolved(const TaskContext& context) const
    {
        return PlanResolver(model, calibration, form).resolve(plan, context);
    }
};

/// FP32 where there is no snapshot.
Side sideOf(const Session& session, const Snapshot* snapshot)
{
    Side side {{}, nullptr, session.openedModel(), nullptr};
    if (snapshot != nullptr) {
        side.plan = snapshot->plan;
        side.form = snapshot->form;
    }
    if (side.form) {
        side.model = side.form->model;
    }
    side.calibration = session.calibrationOf(side.form);
    return side;
}

std::vector<std::int32_t> tokensOf(const Tensor& sample)
{
    std::vector<std::int32_t> ids;
    if (sample.dtype() == DType::I64) {
        for (const std::int64_t id : sample.data<std::int64_t>()) {
            ids.push_back(static_cast<std::int32_t>(id));
        }
    } else if (sample.dtype() == DType::I32) {
        ids.assign(sample.data<std::int32_t>().begin(), sample.data<std::int32_t>().end());
    }
    return ids;
}

QString readable(const TokenTexts& texts, std::span<const std::int32_t> ids)
{
    return QString::fromStdString(texts.text(ids)).simplified();
}

/// The rows with what their samples say, in front of the prediction that differs, and with the words that a
/// language model predicts; nothing where the samples are no texts. `outcomes` know which prediction it is.
std::vector<FlipRow> withTexts(std::vector<FlipRow> rows, const std::vector<SampleOutcome>& outcomes,
    const Model& model, const DataSource& source, const TaskContext& context)
{
    if (model.preprocessing || source.load(0).dtype() == DType::F32) {
        return {};
    }
    const auto texts = TokenTexts::open(folderOf(model));
    if (!texts) {
        return {};
    }
    for (FlipRow& row : rows) {
        context.throwIfCancelled();
        const std::vector<std::int32_t> tokens = tokensOf(source.load(row.flip.sample));
        const std::span<const std::int32_t> ids = tokens;
        if (model.task != ModelTask::LanguageModel) {
            row.text = readable(*texts, ids.first(std::min(ids.size(), kShownTokens)));
            continue;
        }
        const auto outcome = std::ranges::find(outcomes, row.flip.sample, &SampleOutcome::sample);
        const std::size_t read = outcome == outcomes.end()
            ? ids.size()
            : std::min(ids.size(), static_cast<std::size_t>(outcome->row) + 1);
        const std::size_t from = read - std::min(read, kShownTokens);
        row.text
            = (from > 0 ? QStringLiteral("…") : QString()) + readable(*texts, ids.subspan(from, read - from));
        const auto word = [&](int id) {
            const std::int32_t token = id;
            return QStringLiteral("“%1”").arg(readable(*texts, {&token, 1}));
        };
        row.before = word(row.flip.before);
        row.after = word(row.flip.after);
    }
    return rows;
}

} // namespace

CompareController::CompareController(Session* session, JobRunner* runner, CompareView* view)
    : QObject(view)
    , m_session(session)
    , m_runner(runner)
    , m_view(view)
{
    connect(session, &Session::snapshotsChanged, this, &CompareController::showRows);
    connect(session, &Session::evaluationChanged, this, &CompareController::showRows);
    connect(session, &Session::choicesChanged, this, &CompareController::onChoicesChanged);
    connect(session, &Session::formChanged, this, &CompareController::showRows);
    connect(view->metrics(), &MetricsTable::selectionChanged, this, &CompareController::showSelected);
    connect(view->metrics(), &MetricsTable::rowActivated, this, &CompareController::restore);
    connect(view, &CompareView::snapshotRequested, this, &CompareController::takeSnapshot);
    connect(view, &CompareView::restoreRequested, this, &CompareController::restore);
    connect(view, &CompareView::renameRequested, this, &CompareController::rename);
    connect(view, &CompareView::removeRequested, this, &CompareController::remove);
    connect(view->flips(), &FlipList::flipChosen, this, &CompareController::trace);
    connect(view->chart(), &LayerSqnrChart::layerClicked, this, &CompareController::layerChosen);
}

std::shared_ptr<const DataSource> CompareController::data() const
{
    return m_session->evaluationData() ? m_session->evaluationData() : m_session->calibrationData();
}

const Snapshot* CompareController::snapshotOf(int row) const
{
    return row <= 0 || row > static_cast<int>(m_session->snapshots().size())
        ? nullptr
        : &m_session->snapshots()[static_cast<std::size_t>(row - 1)];
}

QString CompareController::nameOf(int row) const
{
    const Snapshot* snapshot = snapshotOf(row);
    return snapshot == nullptr ? tr("FP32") : QString::fromStdString(snapshot->name);
}

std::optional<std::pair<int, int>> CompareController::pair() const
{
    const QList<int> selected = m_view->metrics()->selectedRows();
    if (selected.isEmpty()) {
        return std::nullopt;
    }
    return selected.size() == 1 ? std::pair(0, selected.front()) : std::pair(selected[0], selected[1]);
}

void CompareController::onChoicesChanged()
{
    if (m_current != presentSnapshot()) { // else the rows are as they were
        showRows();
    }
}

int CompareController::presentSnapshot() const
{
    const auto found = std::ranges::find_if(m_session->snapshots(), [this](const Snapshot& snapshot) {
        return snapshot.form == m_session->form() && snapshot.plan == m_session->plan();
    });
    return found == m_session->snapshots().end() ? -1
                                                 : static_cast<int>(found - m_session->snapshots().begin());
}

void CompareController::showRows()
{
    m_current = presentSnapshot();
    std::vector<MetricsRow> rows;
    if (m_session->model() && (m_session->reference() || !m_session->snapshots().empty())) {
        MetricsRow fp32 {tr("FP32"), std::nullopt, ResultState::Live, std::nullopt};
        if (!m_session->isReadOnly()) {
            fp32.figures = planFigures(*m_session->openedModel(), {});
        }
        if (m_session->reference()) {
            fp32.metrics = m_session->reference()->metrics;
        }
        rows.push_back(std::move(fp32));
    }
    for (const Snapshot& snapshot : m_session->snapshots()) {
        const bool current = snapshot.form == m_session->form() && snapshot.plan == m_session->plan();
        rows.push_back({QString::fromStdString(snapshot.name),
            snapshot.evaluation ? std::optional(snapshot.evaluation->metrics) : std::nullopt,
            current ? ResultState::Live : ResultState::Stale, snapshot.figures});
    }
    m_view->metrics()->setRows(std::move(rows));
    showSelected();
}

void CompareController::showSelected()
{
    const auto chosen = pair();
    const bool canCompute = m_session->model() && !m_session->isReadOnly();
    const bool isSnapshot = chosen && snapshotOf(chosen->second) != nullptr;
    const bool single = m_view->metrics()->selectedRows().size() == 1;
    m_view->setAvailable(canCompute, canCompute && isSnapshot && single, canCompute && isSnapshot && single);
    if (!m_session->model() || !chosen || chosen->first == chosen->second) {
        m_view->chart()->setSeries({}, {}, {});
        m_view->flips()->clear(tr("Select one result to compare it with FP32, or two to compare them."));
        return;
    }
    const std::vector<QString> layers = layersOf(*m_session->model());
    std::vector<LayerSqnrChart::Series> series;
    for (const int row : {chosen->first, chosen->second}) {
        const Snapshot* snapshot = snapshotOf(row);
        if (snapshot == nullptr || !snapshot->evaluation) {
            continue;
        }
        LayerSqnrChart::Series line {QString::fromStdString(snapshot->name), {}};
        for (const QString& layer : layers) {
            const auto found = snapshot->evaluation->layerSqnrDb.find(layer.toStdString());
            line.values.push_back(found == snapshot->evaluation->layerSqnrDb.end()
                    ? std::nullopt
                    : std::optional(found->second));
        }
        series.push_back(std::move(line));
    }
    m_view->chart()->setSeries(
        tr("SQNR behind every layer against FP32, %1 samples").arg(kLayerSamples), layers, std::move(series));

    const auto outcomesOf = [this](int row) {
        const Snapshot* snapshot = snapshotOf(row);
        return snapshot == nullptr || !snapshot->evaluation ? std::vector<SampleOutcome> {}
                                                            : snapshot->evaluation->outcomes;
    };
    const bool unknown = (snapshotOf(chosen->first) != nullptr && outcomesOf(chosen->first).empty())
        || (snapshotOf(chosen->second) != nullptr && outcomesOf(chosen->second).empty());
    const auto source = data();
    if (unknown) {
        m_view->flips()->clear(tr("Evaluate both plans to see which samples they tell apart."));
        return;
    }
    m_runner->cancel(kTextsKey);
    std::vector<FlipRow> rows;
    for (const Flip& flip : flipsBetween(outcomesOf(chosen->first), outcomesOf(chosen->second))) {
        FlipRow row {flip, tr("sample %1").arg(flip.sample), {}, {}, QString::number(flip.before),
            QString::number(flip.after), {}};
        if (source && flip.sample < source->size()) {
            const auto label = source->label(flip.sample);
            row.sampleName = QString::fromStdString(source->sampleName(flip.sample));
            row.picture = QString::fromStdString(source->samplePath(flip.sample).string());
            row.truth = label ? QString::number(*label) : QString();
        }
        rows.push_back(std::move(row));
    }
    m_view->flips()->setFlips(nameOf(chosen->first), nameOf(chosen->second), rows);
    if (source && !rows.empty() && m_session->openedModel()) {
        const std::vector<SampleOutcome> after = outcomesOf(chosen->second);
        showTexts(std::move(rows), after.empty() ? outcomesOf(chosen->first) : after);
    }
}

void CompareController::showTexts(std::vector<FlipRow> rows, std::vector<SampleOutcome> outcomes)
{
    using R = std::vector<FlipRow>;
    m_runner->start(
        Lane::Live, kTextsKey, QString(),
        [model = m_session->openedModel(), source = data(), rows = std::move(rows),
            outcomes = std::move(outcomes)](
            const TaskContext& context) -> R { return withTexts(rows, outcomes, *model, *source, context); },
        [this, chosen = pair()](Outcome<R> outcome) {
            if (const auto* failure = std::get_if<Failure>(&outcome)) {
                if (!failure->isCancelled()) {
                    emit failed(tr("Texts of the samples"), QString::fromStdString(failure->message));
                }
            } else if (auto& found = std::get<R>(outcome); !found.empty() && chosen && pair() == chosen) {
                m_view->flips()->setFlips(nameOf(chosen->first), nameOf(chosen->second), std::move(found));
            }
        });
}

void CompareController::takeSnapshot()
{
    bool accepted = false;
    const QString name = QInputDialog::getText(m_view, tr("Keep Plan"), tr("Name of the plan:"),
        QLineEdit::Normal, m_session->suggestedName(), &accepted);
    if (accepted && !name.trimmed().isEmpty()) {
        m_session->addSnapshot(name.trimmed());
    }
}

void CompareController::restore()
{
    const auto chosen = pair();
    if (const Snapshot* snapshot = chosen ? snapshotOf(chosen->second) : nullptr) {
        m_session->replace(
            snapshot->plan, snapshot->form, tr("restore %1").arg(QString::fromStdString(snapshot->name)));
    }
}

void CompareController::rename()
{
    const auto chosen = pair();
    if (!chosen || snapshotOf(chosen->second) == nullptr) {
        return;
    }
    bool accepted = false;
    const QString name = QInputDialog::getText(m_view, tr("Rename Plan"), tr("Name of the plan:"),
        QLineEdit::Normal, nameOf(chosen->second), &accepted);
    if (accepted && !name.trimmed().isEmpty()) {
        m_session->renameSnapshot(chosen->second - 1, name.trimmed());
    }
}

void CompareController::remove()
{
    const auto chosen = pair();
    if (chosen && snapshotOf(chosen->second) != nullptr) {
        m_session->removeSnapshot(chosen->second - 1);
    }
}

void CompareController::trace(qint64 sample)
{
    const auto chosen = pair();
    const auto source = data();
    if (!chosen || !source || m_session->isReadOnly()) {
        return;
    }
    const Side first = sideOf(*m_session, snapshotOf(chosen->first));
    const Side second = sideOf(*m_session, snapshotOf(chosen->second));
    const bool isReady = (first.plan.choices.empty() || first.calibration)
        && (second.plan.choices.empty() || second.calibration);
    if (!isReady) {
        emit failed(
            tr("Trace"), tr("Restore the plan first: its model has not been calibrated on this data."));
        return;
    }
    using R = std::vector<LayerDistance>;
    m_runner->start(
        Lane::Batch, kTraceKey, tr("Trace of sample %1").arg(sample),
        [first, second, source, sample](const TaskContext& context) -> R {
            return layerTrace(second.model, first.resolved(context), second.resolved(context), *source,
                sample, context, first.model);
        },
        [this, sample](Outcome<R> outcome) {
            if (const auto* trace = std::get_if<R>(&outcome)) {
                showTrace(*trace, sample);
            } else if (const auto& failure = std::get<Failure>(outcome); !failure.isCancelled()) {
                emit failed(tr("Trace"), QString::fromStdString(failure.message));
            }
        });
}

void CompareController::showTrace(const std::vector<LayerDistance>& trace, qint64 sample)
{
    const auto chosen = pair();
    if (!chosen || !m_session->model()) {
        return;
    }
    std::vector<QString> layers;
    LayerSqnrChart::Series line {tr("%1 against %2").arg(nameOf(chosen->second), nameOf(chosen->first)), {}};
    QString apart;
    for (const LayerDistance& distance : trace) {
        layers.push_back(QString::fromStdString(distance.layer));
        line.values.emplace_back(distance.sqnrDb);
        if (apart.isEmpty() && distance.sqnrDb < kApartDb) {
            apart = layers.back();
        }
    }
    const auto source = data();
    const QString name
        = source ? QString::fromStdString(source->sampleName(sample)) : QString::number(sample);
    m_view->chart()->setSeries(apart.isEmpty()
            ? tr("%1: no layer is below %2 dB").arg(name).arg(kApartDb)
            : tr("%1: first below %2 dB at %3").arg(name).arg(kApartDb).arg(apart),
        std::move(layers), {std::move(line)});
    m_view->chart()->setMark(apart);
    if (!apart.isEmpty()) {
        emit layerChosen(apart);
    }
}

} // namespace qs
