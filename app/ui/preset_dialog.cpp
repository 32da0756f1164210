#include "app/ui/preset_dialog.h"

#include "app/ui/choice_box.h"

#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

namespace qs {

namespace {

constexpr std::array kSymmetries {Symmetry::Asymmetric, Symmetry::Symmetric};

QSpinBox* bitsBox(const QString& name, int bits)
{
    auto* box = new QSpinBox;
    box->setAccessibleName(name);
    box->setRange(kMinBits, kMaxBits);
    box->setValue(bits);
    return box;
}

} // namespace

PresetDialog::PresetDialog(const PresetOptions& options, QWidget* parent)
    : QDialog(parent)
    , m_weightBits(bitsBox(tr("Weight bits"), options.weightBits))
    , m_activationBits(bitsBox(tr("Activation bits"), options.activationBits))
    , m_patchBits(bitsBox(tr("Bits of the patch embedding's input"), options.patchInputBits))
    , m_method(choiceBox(tr("Bounds"), kAutomaticMethods, options.method))
    , m_norm(new QComboBox)
    , m_softmax(choiceBox(tr("Attention probabilities"), kQuantizerKinds, options.softmaxKind))
    , m_symmetry(choiceBox(tr("Activations"), kSymmetries, options.symmetry))
    , m_weightSymmetry(choiceBox(tr("Weights"), kSymmetries, options.weightSymmetry))
{
    setWindowTitle(tr("Preset of Your Own"));
    m_norm->setAccessibleName(tr("Scales behind LayerNorm"));
    for (const Granularity granularity : {Granularity::Tensor, Granularity::Group}) {
        m_norm->addItem(displayName(granularity, GroupAxis::Channel), static_cast<int>(granularity));
    }
    m_norm->setCurrentIndex(m_norm->findData(static_cast<int>(options.normGranularity)));
    m_patchBits->setToolTip(tr("The literature keeps the pixels at 8 bits"));
    auto* description = new QLabel(
        tr("A plan for every site of the model, in one step that Undo takes back. Weights have one scale per "
           "output channel, other activations one per tensor."));
    description->setWordWrap(true);
    auto* form = new QFormLayout;
    form->addRow(tr("&Weight bits"), m_weightBits);
    form->addRow(tr("&Activation bits"), m_activationBits);
    form->addRow(tr("&Patch input bits"), m_patchBits);
    form->addRow(tr("&Bounds"), m_method);
    form->addRow(tr("Scales behind &LayerNorm"), m_norm);
    form->addRow(tr("Attention p&robabilities"), m_softmax);
    form->addRow(tr("A&ctivations"), m_symmetry);
    form->addRow(tr("W&eights"), m_weightSymmetry);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    QPushButton* apply = buttons->addButton(tr("Appl&y"), QDialogButtonBox::AcceptRole);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(description);
    layout->addLayout(form);
    layout->addStretch(1);
    layout->addWidget(buttons);
    apply->setDefault(true); // only a button inside a dialog can be its default
    setMinimumWidth(420);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

PresetOptions PresetDialog::options() const
{
    PresetOptions options;
    options.weightBits = m_weightBits->value();
    options.activationBits = m_activationBits->value();
    options.patchInputBits = m_patchBits->value();
    options.method = chosenIn<BoundMethod>(*m_method);
    options.normGranularity = chosenIn<Granularity>(*m_norm);
    options.softmaxKind = chosenIn<QuantizerKind>(*m_softmax);
    options.symmetry = chosenIn<Symmetry>(*m_symmetry);
    options.weightSymmetry = chosenIn<Symmetry>(*m_weightSymmetry);
    return options;
}

QString PresetDialog::name() const
{
    return tr("W%1A%2, %3")
        .arg(m_weightBits->value())
        .arg(m_activationBits->value())
        .arg(m_method->currentText());
}

} // namespace qs
