#include "app/ui/data_dialog.h"

#include <QDialogButtonBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>

namespace qs {

namespace {

constexpr int kMostContext = 1'000'000;

bool takesTokens(const InputForm& form)
{
    return form.dtype != DType::F32;
}

/// Recordings of any length: [length], or [1, length], that is free.
bool takesAnyRecording(const InputForm& form)
{
    if (takesTokens(form) || !form.sampleDims || form.sampleDims->empty() || form.sampleDims->back() >= 0) {
        return false;
    }
    const auto& dims = *form.sampleDims;
    return dims.size() == 1 || (dims.size() == 2 && dims.front() == 1);
}

bool takesPictures(const Model& model)
{
    return model.preprocessing.has_value();
}

QString whatFits(const Model& model, const InputForm& form)
{
    const QString tensors
        = DataDialog::tr("arrays %1 in a .npy, .npz or .h5 file").arg(QString::fromStdString(form.text()));
    if (takesTokens(form)) {
        return DataDialog::tr("Texts (.txt), one or a folder of them, or %1.").arg(tensors);
    }
    return takesPictures(model)
        ? DataDialog::tr(
            "A folder of pictures (JPEG, PNG), best with labels: class subfolders, or labels.txt "
            "with a file and its class on each line; or %1.")
              .arg(tensors)
        : DataDialog::tr("A folder of recordings (16 kHz WAV) where the model hears them, or %1.")
              .arg(tensors);
}

} // namespace

DataDialog::DataDialog(const QString& title, const Model& model, const QString& path,
    const DataOptions& options, QWidget* parent)
    : QDialog(parent)
    , m_form(InputForm::of(model))
    , m_path(new QLineEdit(path))
    , m_finding(new QLabel)
    , m_context(takesTokens(m_form) || takesAnyRecording(m_form) ? new QSpinBox : nullptr)
    , m_open(nullptr)
{
    setWindowTitle(title);
    auto* description = new QLabel(whatFits(model, m_form));
    description->setWordWrap(true);
    auto* form = new QFormLayout;
    QLayout* row = buildPath();
    form->addRow(tr("&Data"), row);
    qobject_cast<QLabel*>(form->labelForField(row))->setBuddy(m_path);
    form->addRow(QString(), m_finding);
    if (m_context != nullptr) {
        const QString caption = takesTokens(m_form) ? tr("&Tokens per sample") : tr("&Length of a recording");
        m_context->setAccessibleName(QString(caption).remove(QLatin1Char('&')));
        m_context->setToolTip(tr("Each text is cut into samples of so many tokens, special ones included"));
        if (!takesTokens(m_form)) {
            m_context->setToolTip(
                tr("Sound samples, 16000 a second: what is longer is cut, what is shorter is "
                   "filled up with zeros"));
        }
        m_context->setRange(0,
            m_form.mostTokens > 0 ? static_cast<int>(std::min<std::int64_t>(m_form.mostTokens, kMostContext))
                                  : kMostContext);
        m_context->setSpecialValueText(tr("as the model takes them"));
        m_context->setValue(static_cast<int>(std::min<std::int64_t>(options.context, kMostContext)));
        form->addRow(caption, m_context);
    }
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    m_open = buttons->addButton(tr("&Open"), QDialogButtonBox::AcceptRole);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(description);
    layout->addLayout(form);
    layout->addStretch(1);
    layout->addWidget(buttons);
    m_open->setDefault(true); // only a button inside a dialog can be its default
    setMinimumWidth(560);
    connect(m_path, &QLineEdit::textChanged, this, &DataDialog::checkPath);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    checkPath();
}

QLayout* DataDialog::buildPath()
{
    m_path->setAccessibleName(tr("Folder or file of the data"));
    m_finding->setForegroundRole(QPalette::PlaceholderText);
    auto* row = new QHBoxLayout;
    row->addWidget(m_path, 1);
    auto* folder = new QPushButton(tr("&Folder…"));
    auto* file = new QPushButton(tr("F&ile…"));
    for (QPushButton* button : {folder, file}) {
        button->setAutoDefault(false); // Return opens what is named
        row->addWidget(button);
    }
    connect(folder, &QPushButton::clicked, this, &DataDialog::chooseFolder);
    connect(file, &QPushButton::clicked, this, &DataDialog::chooseFile);
    return row;
}

QString DataDialog::path() const
{
    return QFileInfo(m_path->text().trimmed()).absoluteFilePath();
}

DataOptions DataDialog::options() const
{
    return {.context = m_context == nullptr ? 0 : m_context->value()};
}

void DataDialog::chooseFolder()
{
    const QString folder = QFileDialog::getExistingDirectory(this, windowTitle(), m_path->text());
    if (!folder.isEmpty()) {
        m_path->setText(folder);
    }
}

void DataDialog::chooseFile()
{
    const QString file = QFileDialog::getOpenFileName(this, windowTitle(), m_path->text(),
        takesTokens(m_form)
            ? tr("Texts and arrays (*.txt *.npy *.npz *.h5 *.hdf5)")
            : tr("Arrays, pictures, recordings (*.npy *.npz *.h5 *.hdf5 *.jpg *.jpeg *.png *.wav)"));
    if (!file.isEmpty()) {
        m_path->setText(file);
    }
}

void DataDialog::checkPath()
{
    const QString named = m_path->text().trimmed();
    const bool exists = !named.isEmpty() && QFileInfo::exists(named);
    m_open->setEnabled(exists);
    m_finding->setText(named.isEmpty() ? tr("Name a folder or a file.")
            : exists                   ? QString()
                                       : tr("There is nothing of that name."));
}

} // namespace qs
