#pragma once

#include "app/jobs/method_task.h"

#include <QDialog>

class QSpinBox;

namespace qs {

/// Asks what a quantization method is to do: bits, samples, and for one that trains seed and iterations.
class MethodDialog : public QDialog
{
    Q_OBJECT
public:
    /// A request to start from; `availableSamples` are those of the calibration data.
    MethodDialog(const MethodRequest& request, std::int64_t availableSamples, QWidget* parent = nullptr);

    [[nodiscard]] MethodRequest request() const;

private:
    MethodRequest m_request;
    QSpinBox* m_weightBits;
    QSpinBox* m_activationBits;
    QSpinBox* m_samples;
    QSpinBox* m_iterations;
    QSpinBox* m_together;
    QSpinBox* m_seed;
};

} // namespace qs
