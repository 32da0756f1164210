#pragma once

#include "app/ui/workbench.h"
#include "core/quant/plan.h"

#include <QObject>
#include <QString>

namespace qs {

/// Where the ranges come from: fills the calibration view for the selected site, and warns when the
/// calibration samples do not look as the model's configuration says.
class CalibrationController : public QObject
{
    Q_OBJECT
public:
    explicit CalibrationController(const Workbench& bench);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override; ///< the view comes to sight

private:
    void checkInput();
    void showSite(); ///< while somebody looks
    void showChoice(); ///< again where what matters of the choice has changed; bounds do not
    void showBounds();
    void takeBounds(const Bounds& bounds);
    [[nodiscard]] QString sampleName(qint64 sample) const;

    const Workbench m_bench;
    SiteChoice m_shown; ///< the choice of what the view shows
};

} // namespace qs
