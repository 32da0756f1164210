#pragma once

#include "core/quant/quantization_error.h"
#include "core/quant/quantizer.h"
#include "widgets/common/result_state.h"
#include "widgets/common/site_choice_patch.h"
#include "widgets/models/site_row.h"

#include <QWidget>

#include <array>
#include <optional>
#include <vector>

class QCheckBox;
class QComboBox;
class QFormLayout;
class QLabel;
class QSpinBox;
class QStackedWidget;
class QToolButton;

namespace qs {

class ErrorSplitBar;

/// Form for the choice of the selected sites. Where they differ the field says so and stays so until touched;
/// an edit carries the touched field alone. Below: what came of the choice, for a single site.
class QuantizerInspector : public QWidget
{
    Q_OBJECT
public:
    explicit QuantizerInspector(QWidget* parent = nullptr);

    /// The selected sites; none shows the empty state. Clears the result when another site is shown.
    void setSites(std::vector<SiteRow> sites);
    [[nodiscard]] const std::vector<SiteRow>& sites() const { return m_sites; }
    /// The quantizer that came of the single site's choice; nullopt: not known or in floating point.
    void setQuantizer(const std::optional<QuantParams>& params);
    /// Error of the single site's values; nullopt: not known.
    void setTensorError(const std::optional<QuantizationError>& error, ResultState state);

signals:
    /// For all sites().
    void choiceEdited(const qs::SiteChoicePatch& patch);
    /// "Apply to all of this role" for the single site.
    void applyToRoleRequested(const QString& site);

protected:
    void changeEvent(QEvent* event) override;

private:
    QWidget* buildForm();
    QWidget* buildResult();
    void showChoice();
    void showTitle();
    void updateEnabledFields();
    void request(const SiteChoicePatch& patch);

    std::vector<SiteRow> m_sites;
    bool m_silent = false;
    QStackedWidget* m_stack;
    QLabel* m_title;
    QLabel* m_subtitle;
    QCheckBox* m_enabled;
    QComboBox* m_kind;
    QComboBox* m_symmetry;
    QComboBox* m_granularity;
    QSpinBox* m_bits;
    std::array<QToolButton*, 3> m_quickBits {};
    QComboBox* m_method;
    QToolButton* m_applyToRole;
    QWidget* m_result;
    QFormLayout* m_resultRows = nullptr;
    QLabel* m_scale;
    QLabel* m_zeroPoint; ///< shown for uniform quantizers, m_base for logarithmic ones
    QLabel* m_base;
    QLabel* m_codes;
    QLabel* m_bounds;
    QLabel* m_scaleCount;
    QLabel* m_error;
    QLabel* m_errorState;
    ErrorSplitBar* m_split;
};

} // namespace qs
