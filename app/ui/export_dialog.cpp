#include "app/ui/export_dialog.h"

#include <QCheckBox>
#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFormLayout>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSpinBox>
#include <QStyle>
#include <QVBoxLayout>

#include <algorithm>

namespace qs {

ExportDialog::ExportDialog(ExportInput input, std::int64_t availableSamples, QWidget* parent)
    : QDialog(parent)
    , m_input(std::move(input))
    , m_format(new QComboBox)
    , m_description(new QLabel)
    , m_file(new QLineEdit)
    , m_findings(new QListWidget)
    , m_verify(new QCheckBox(tr("Read the file back and run it on")))
    , m_samples(new QSpinBox)
{
    setWindowTitle(tr("Export Model"));
    for (const auto& exporter : exporters()) {
        m_format->addItem(QString::fromStdString(exporter->name()));
    }
    m_format->setAccessibleName(tr("Format"));
    m_description->setWordWrap(true);
    m_file->setAccessibleName(tr("File"));
    m_findings->setAccessibleName(tr("Findings"));
    m_findings->setWordWrap(true);
    m_findings->setSelectionMode(QAbstractItemView::NoSelection);
    const int samples = static_cast<int>(std::min<std::int64_t>(availableSamples, 512));
    m_samples->setRange(1, std::max(1, samples));
    m_samples->setValue(std::min(32, samples));
    m_samples->setSuffix(tr(" samples"));
    m_samples->setAccessibleName(tr("Samples for verification"));
    m_verify->setChecked(availableSamples > 0);
    m_verify->setEnabled(availableSamples > 0);

    auto* choose = new QPushButton(tr("Choose…"));
    auto* fileRow = new QHBoxLayout;
    fileRow->addWidget(m_file, 1);
    fileRow->addWidget(choose);
    auto* verifyRow = new QHBoxLayout;
    verifyRow->addWidget(m_verify);
    verifyRow->addWidget(m_samples);
    verifyRow->addStretch(1);
    auto* form = new QFormLayout;
    form->addRow(tr("&Format"), m_format);
    form->addRow(QString(), m_description);
    form->addRow(tr("F&ile"), fileRow);
    qobject_cast<QLabel*>(form->labelForField(fileRow))->setBuddy(m_file);
    form->addRow(tr("Verify"), verifyRow);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    m_export = buttons->addButton(tr("Export"), QDialogButtonBox::AcceptRole);
    auto* layout = new QVBoxLayout(this);
    layout->addLayout(form);
    layout->addWidget(new QLabel(tr("What the target will make of this plan:")));
    layout->addWidget(m_findings, 1);
    layout->addWidget(buttons);
    resize(640, 460);

    connect(m_format, &QComboBox::currentIndexChanged, this, &ExportDialog::showFormat);
    connect(m_verify, &QCheckBox::toggled, m_samples, &QWidget::setEnabled);
    connect(m_file, &QLineEdit::textChanged, this, &ExportDialog::updateButtons);
    connect(choose, &QPushButton::clicked, this, &ExportDialog::chooseFile);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    showFormat();
}

ExportRequest ExportDialog::request() const
{
    return {m_format->currentText(), m_file->text(), m_verify->isChecked() ? m_samples->value() : 0};
}

void ExportDialog::showFormat()
{
    const Exporter& exporter = exporterNamed(m_format->currentText().toStdString());
    m_description->setText(QString::fromStdString(exporter.description()));
    if (m_file->text().isEmpty()) {
        m_file->setText(
            QDir::home().filePath(QString::fromStdString(m_input.model->name + exporter.extension())));
    } else {
        const QFileInfo info(m_file->text());
        m_file->setText(
            info.dir().filePath(info.completeBaseName() + QString::fromStdString(exporter.extension())));
    }
    m_findings->clear();
    m_hasErrors = false;
    for (const LintFinding& finding : exporter.lint(m_input)) {
        auto* item = new QListWidgetItem(QString::fromStdString(finding.sentence), m_findings);
        switch (finding.severity) {
        case LintFinding::Severity::Error:
            item->setIcon(style()->standardIcon(QStyle::SP_MessageBoxCritical));
            m_hasErrors = true;
            break;
        case LintFinding::Severity::Warning:
            item->setIcon(style()->standardIcon(QStyle::SP_MessageBoxWarning));
            break;
        case LintFinding::Severity::Note:
            item->setIcon(style()->standardIcon(QStyle::SP_MessageBoxInformation));
            break;
        }
    }
    if (m_findings->count() == 0) {
        new QListWidgetItem(
            style()->standardIcon(QStyle::SP_DialogApplyButton), tr("Nothing to object to."), m_findings);
    }
    updateButtons();
}

void ExportDialog::chooseFile()
{
    const Exporter& exporter = exporterNamed(m_format->currentText().toStdString());
    const QString file = QFileDialog::getSaveFileName(this, tr("Export Model"), m_file->text(),
        tr("%1 (*%2)")
            .arg(QString::fromStdString(exporter.name()), QString::fromStdString(exporter.extension())));
    if (!file.isEmpty()) {
        m_file->setText(file);
    }
}

void ExportDialog::updateButtons()
{
    m_export->setEnabled(!m_hasErrors && !m_file->text().isEmpty());
}

} // namespace qs
