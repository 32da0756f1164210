#pragma once

#include "app/jobs/session_tasks.h"
#include "core/exporting/exporter.h"

#include <QDialog>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QListWidget;
class QPushButton;
class QSpinBox;

namespace qs {

/// Asks for format, file and verification, and shows before writing what the target runtime will not take.
/// Modal for the choice only: the export itself is a job.
class ExportDialog : public QDialog
{
    Q_OBJECT
public:
    /// `input` is the plan as it would be written; used by the linter.
    ExportDialog(ExportInput input, std::int64_t availableSamples, QWidget* parent = nullptr);

    [[nodiscard]] ExportRequest request() const;

private:
    void showFormat();
    void chooseFile();
    void updateButtons();

    ExportInput m_input;
    QComboBox* m_format;
    QLabel* m_description;
    QLineEdit* m_file;
    QListWidget* m_findings;
    QCheckBox* m_verify;
    QSpinBox* m_samples;
    QPushButton* m_export;
    bool m_hasErrors = false;
};

} // namespace qs
