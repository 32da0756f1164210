#pragma once

#include "widgets/plot/plot_style.h"

#include <QString>
#include <QWidget>

#include <vector>

namespace qs {

/// Swatches with words for the roles drawn in the plots beside it, on one line.
class PlotLegend : public QWidget
{
    Q_OBJECT
public:
    struct Entry
    {
        PlotRole role = PlotRole::Distribution;
        QString text;
        friend bool operator==(const Entry&, const Entry&) = default;
    };

    explicit PlotLegend(QWidget* parent = nullptr);

    void setEntries(std::vector<Entry> entries);
    [[nodiscard]] const std::vector<Entry>& entries() const { return m_entries; }
    [[nodiscard]] QSize sizeHint() const override;
    [[nodiscard]] QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::vector<Entry> m_entries;
};

} // namespace qs
