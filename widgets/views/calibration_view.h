#pragma once

#include "core/eval/calibration_microscope.h"

#include <QWidget>

#include <functional>
#include <optional>

class QLabel;
class QTableWidget;

namespace qs {

class SampleRangeChart;

/// Where the range of a site comes from: every sample's range, the samples that set its ends and what leaving
/// each out would do. Setters are silent.
class CalibrationView : public QWidget
{
    Q_OBJECT
public:
    explicit CalibrationView(QWidget* parent = nullptr);

    /// `nameOf` tells a sample's name; nullopt: nothing is known, `reason` says why.
    void setSite(const SampleRanges& ranges, const std::optional<SiteMicroscope>& microscope,
        const std::function<QString(qint64)>& nameOf, const QString& reason = {});
    void setBounds(const std::optional<Bounds>& bounds);

    [[nodiscard]] SampleRangeChart* chart() const { return m_chart; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] QString summary() const;

signals:
    /// The user wants these bounds: those that are left without a sample.
    void boundsRequested(const qs::Bounds& bounds);

private:
    void fillTable(const SiteMicroscope& microscope, const std::function<QString(qint64)>& nameOf);
    void selectSample(qint64 sample);

    SampleRangeChart* m_chart;
    QTableWidget* m_table;
    QLabel* m_summary;
    std::vector<SampleInfluence> m_influences;
};

} // namespace qs
