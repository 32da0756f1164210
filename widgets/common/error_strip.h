#pragma once

#include "core/eval/error_estimate.h"
#include "core/quant/quantization_error.h"
#include "widgets/common/result_state.h"

#include <QString>
#include <QWidget>

#include <array>
#include <cstdint>
#include <optional>

namespace qs {

class ErrorCell;

/// Where the error of an edit is measured, from near to far.
enum class ErrorLevel { Tensor, Layer, Model };

/// Tensor -> layer -> model error of the current edit in one line of three cells, each with its state.
/// Setters only. A value stays visible while its successor is computed; setting a value does not change its
/// state.
class ErrorStrip : public QWidget
{
    Q_OBJECT
public:
    explicit ErrorStrip(QWidget* parent = nullptr);

    /// `site` is what the first cell is about. The share of clipping in the squared error and the share of
    /// clipped values are shown beside SQNR and MSE.
    void setTensorError(const QString& site, const QuantizationError& error);
    /// Error at the output of `layer`: SQNR in dB, mean squared error in squared units of that output, over
    /// `samples` probe samples.
    void setLayerError(const QString& layer, double sqnrDb, double meanSquared, std::int64_t samples);
    /// Error of the logits against FP32, with the intervals it lies in for data of this kind; `goal` is the
    /// number of probe samples that the estimate is refined up to.
    void setModelError(const ErrorEstimate& estimate, std::int64_t goal);
    void setState(ErrorLevel level, ResultState state);
    [[nodiscard]] ResultState state(ErrorLevel level) const;
    /// Text of a cell's figures, for tests and the clipboard.
    [[nodiscard]] QString text(ErrorLevel level) const;
    /// No values, all states None.
    void clear();

protected:
    void changeEvent(QEvent* event) override;

private:
    [[nodiscard]] ErrorCell* cell(ErrorLevel level) const;

    std::array<ErrorCell*, 3> m_cells {};
};

} // namespace qs
