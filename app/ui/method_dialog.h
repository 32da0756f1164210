#pragma once

#include "app/jobs/method_task.h"

#include <QDialog>

#include <utility>
#include <vector>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QSpinBox;

namespace qs {

/// Asks what a quantization method is to do: bits, samples, the parts to leave out, and for one that trains
/// seed, iterations and views. Uniform quantizers of the attention probabilities and behind
/// GELU are what leaving out log-sqrt2 and log-gelu means.
class MethodDialog : public QDialog
{
    Q_OBJECT
public:
    /// A request to start from; `availableSamples` are those of the calibration data.
    MethodDialog(const MethodRequest& request, std::int64_t availableSamples, QWidget* parent = nullptr);

    [[nodiscard]] MethodRequest request() const;

private:
    void addIngredients(QFormLayout& form, const Method& method);

    MethodRequest m_request;
    QSpinBox* m_weightBits;
    QSpinBox* m_activationBits;
    QSpinBox* m_samples;
    QComboBox* m_softmax;
    QComboBox* m_gelu = nullptr; ///< null: the method has no other than uniform quantizers there
    QCheckBox* m_published;
    std::vector<std::pair<Ingredient, QCheckBox*>> m_ingredients; ///< those that the method can do without
    QSpinBox* m_iterations;
    QSpinBox* m_together;
    QSpinBox* m_views;
    QSpinBox* m_seed;
};

} // namespace qs
