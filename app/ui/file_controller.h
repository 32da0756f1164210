#pragma once

#include "app/ui/workbench.h"
#include "core/exporting/report.h"
#include "core/io/data_source.h"

#include <QObject>
#include <QString>

#include <vector>

namespace qs {

struct ExportInput;

/// The File menu as far as models, data, recipes and exports go: dialogs, recent files, what is dropped.
class FileController : public QObject
{
    Q_OBJECT
public:
    explicit FileController(const Workbench& bench);

    /// A model with optional data folders, or a session.
    void open(const QString& model, const QString& calibrationData = {}, const QString& evaluationData = {});
    void openDemo();
    /// Whatever was dropped or named: a session, a recipe, a model or a calibration set, told apart by its
    /// content.
    void openPath(const QString& path);
    /// Applies a recipe as soon as there is a calibrated model.
    void openRecipeWhenReady(const QString& file);

signals:
    void demoOpened();

private:
    void wireOpening();
    void wireSaving();
    void askForData(const QString& title, const DataOptions& options,
        void (SessionTasks::*thenOpen)(const QString& path, const DataOptions& options));
    void exportModel(); ///< works out what would be written, then asks
    void askForExport(ExportInput input);
    /// What the views show, for a report.
    [[nodiscard]] std::vector<ReportPicture> pictures() const;
    void rememberModel();
    void remember(const QString& path); ///< among the recent ones
    void fillRecent();

    const Workbench m_bench;
    QString m_pendingRecipe;
    QString m_lastData; ///< where the dialog begins
};

} // namespace qs
