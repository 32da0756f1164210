#pragma once

#include "core/quant/plan.h"

#include <QDialog>

class QComboBox;
class QSpinBox;

namespace qs {

/// Asks for a preset of the user's own: everything that the ones in the menu choose for him.
class PresetDialog : public QDialog
{
    Q_OBJECT
public:
    /// Options to start from.
    explicit PresetDialog(const PresetOptions& options, QWidget* parent = nullptr);

    [[nodiscard]] PresetOptions options() const;
    [[nodiscard]] QString name() const; ///< "W4A6, percentile", for the undo step

private:
    QSpinBox* m_weightBits;
    QSpinBox* m_activationBits;
    QSpinBox* m_patchBits;
    QComboBox* m_method;
    QComboBox* m_norm;
    QComboBox* m_softmax;
    QComboBox* m_symmetry;
    QComboBox* m_weightSymmetry;
};

} // namespace qs
