#pragma once

#include <QToolButton>

#include <vector>

class QAction;

namespace qs {

/// What to measure: the widths every site is quantized to, and whether each cause is measured alone. Setters
/// are silent.
class SensitivityMenu : public QToolButton
{
    Q_OBJECT
public:
    explicit SensitivityMenu(QWidget* parent = nullptr);

    /// Ascending; empty: the bits that the plan says.
    [[nodiscard]] std::vector<int> widths() const;
    void setWidths(const std::vector<int>& widths);
    [[nodiscard]] bool causes() const;
    void setCauses(bool causes);

signals:
    void measureRequested(); ///< with what is chosen now

private:
    void showChoice();

    std::vector<QAction*> m_widths;
    QAction* m_planned;
    QAction* m_causes;
};

} // namespace qs
