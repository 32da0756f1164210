#include "app/ui/method_dialog.h"

#include "app/ui/choice_box.h"

#include <QCheckBox>
#include <QDialogButtonBox>
#include <QFormLayout>
#include <QLabel>
#include <QPushButton>
#include <QSpinBox>
#include <QVBoxLayout>

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <utility>

namespace qs {

namespace {

constexpr int kMostBits = 8; ///< codes of rewritten weights are kept in bytes

QSpinBox* spinBox(const QString& name, int least, int most, std::int64_t value)
{
    auto* box = new QSpinBox;
    box->setAccessibleName(name);
    box->setRange(least, most);
    box->setValue(static_cast<int>(value));
    return box;
}

/// What a method does where no kind of quantizer is chosen for it.
QString automaticKind(const MethodRequest& request)
{
    return request.method == QLatin1String("repq-vit")
        ? MethodDialog::tr("as published (log√2)")
        : MethodDialog::tr("best for each site");
}

} // namespace

MethodDialog::MethodDialog(const MethodRequest& request, std::int64_t availableSamples, QWidget* parent)
    : QDialog(parent)
    , m_request(request)
    , m_weightBits(spinBox(tr("Weight bits"), kMinBits, kMostBits, request.options.weightBits))
    , m_activationBits(spinBox(tr("Activation bits"), kMinBits, kMostBits, request.options.activationBits))
    , m_samples(spinBox(tr("Samples"), 1, static_cast<int>(std::min<std::int64_t>(availableSamples, 4096)),
          std::min(request.samples, availableSamples)))
    , m_softmax(choiceBox(tr("Attention probabilities"), automaticKind(request), kQuantizerKinds,
          request.options.softmaxKind))
    , m_published(new QCheckBox(tr("Zero points with a fraction (as &published)")))
    , m_iterations(spinBox(tr("Iterations per block"), 1, 100000, request.options.iterations))
    , m_together(
          spinBox(tr("Iterations of all blocks together"), 0, 100000, request.options.endToEndIterations))
    , m_views(spinBox(tr("Views of every image"), 0, 1000, request.options.views))
    , m_seed(spinBox(tr("Seed"), 0, std::numeric_limits<int>::max(), request.options.seed))
{
    setWindowTitle(tr("Quantize with %1").arg(request.method));
    auto* description = new QLabel;
    description->setWordWrap(true);
    const Method& method = methodNamed(request.method.toStdString());
    description->setText(
        tr("%1. The result, rewritten weights and the plan for them, is one step that Undo takes back.")
            .arg(QString::fromUtf8(method.description.data(), static_cast<int>(method.description.size()))));
    m_samples->setSuffix(tr(" of %1").arg(availableSamples));
    m_samples->setToolTip(tr("The first samples of the calibration data; they run as one batch"));
    auto* form = new QFormLayout;
    form->addRow(tr("&Weight bits"), m_weightBits);
    form->addRow(tr("&Activation bits"), m_activationBits);
    form->addRow(tr("&Samples"), m_samples);
    form->addRow(tr("Attention p&robabilities"), m_softmax);
    if (method.ingredients.contains(Ingredient::LogGelu)) {
        m_gelu
            = choiceBox(tr("Behind GELU"), automaticKind(request), kQuantizerKinds, request.options.geluKind);
        m_gelu->setToolTip(
            tr("Logarithmic ones quantize the values shifted to 0 and above, where most of them lie "
               "close together; the biases behind take the shift back"));
        form->addRow(tr("Behind &GELU"), m_gelu);
    }
    addIngredients(*form, method);
    m_seed->setToolTip(tr("The same seed gives the same result, bit for bit"));
    m_together->setSpecialValueText(tr("none"));
    m_views->setSpecialValueText(tr("automatic"));
    m_views->setToolTip(tr("Crops and mirror images that are trained on; automatic: 8 of every image, and 1 "
                           "where the model reads something else"));
    const bool trains = request.method == QLatin1String("repquant");
    const std::pair<QString, QSpinBox*> training[] {{tr("&Iterations per block"), m_iterations},
        {tr("Iterations of all &blocks together"), m_together}, {tr("&Views of every image"), m_views},
        {tr("Se&ed"), m_seed}};
    for (const auto& [text, box] : training) {
        if (trains) {
            form->addRow(text, box);
        } else {
            box->setParent(this); // it draws no numbers: nothing to choose
            box->hide();
        }
    }
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    QPushButton* quantize = buttons->addButton(tr("&Quantize"), QDialogButtonBox::AcceptRole);
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(description);
    layout->addLayout(form);
    layout->addStretch(1);
    layout->addWidget(buttons);
    quantize->setDefault(true); // only a button inside a dialog can be its default
    setMinimumWidth(420);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
}

void MethodDialog::addIngredients(QFormLayout& form, const Method& method)
{
    QString caption = tr("With");
    const auto add = [&](QCheckBox* box) { form.addRow(std::exchange(caption, QString()), box); };
    for (const auto& [ingredient, text] : std::initializer_list<std::pair<Ingredient, QString>> {
             {Ingredient::Reparameterization, tr("Repara&meterized LayerNorms")},
             {Ingredient::DualClipping, tr("Boun&ds that look at the layer behind")},
             {Ingredient::Reconstruction, tr("Weights that &take up the error")},
             {Ingredient::BiasRefit, tr("Biases that take &up the mean error")}}) {
        if (method.ingredients.contains(ingredient)) {
            auto* box = new QCheckBox(text);
            box->setChecked(m_request.options.has(ingredient));
            add(box);
            m_ingredients.emplace_back(ingredient, box);
        }
    }
    m_published->setChecked(m_request.options.zeroPoint == ZeroPointRule::Published);
    m_published->setToolTip(tr("To compare with it; no integer runtime has such zero points"));
    add(m_published);
    for (const auto& [ingredient, box] : m_ingredients) {
        if (ingredient == Ingredient::Reparameterization) {
            connect(box, &QCheckBox::toggled, m_published, &QWidget::setEnabled);
            m_published->setEnabled(box->isChecked());
        }
    }
}

MethodRequest MethodDialog::request() const
{
    MethodRequest request = m_request;
    request.options.weightBits = m_weightBits->value();
    request.options.activationBits = m_activationBits->value();
    request.samples = m_samples->value();
    request.options.softmaxKind = chosenOrNoneIn<QuantizerKind>(*m_softmax);
    if (m_gelu != nullptr) {
        request.options.geluKind = chosenOrNoneIn<QuantizerKind>(*m_gelu);
    }
    request.options.zeroPoint = m_published->isChecked() && m_published->isEnabled()
        ? ZeroPointRule::Published
        : ZeroPointRule::Rounded;
    request.options.without.clear();
    for (const auto& [ingredient, box] : m_ingredients) {
        if (!box->isChecked()) {
            request.options.without.insert(ingredient);
        }
    }
    request.options.views = m_views->value();
    request.options.iterations = m_iterations->value();
    request.options.endToEndIterations = m_together->value();
    request.options.seed = m_seed->value();
    return request;
}

} // namespace qs
