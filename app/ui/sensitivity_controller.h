#pragma once

#include "app/ui/workbench.h"

#include <QObject>

namespace qs {

/// The sensitivity chart: fills it, and leaves sensitive sites in floating point when asked to.
class SensitivityController : public QObject
{
    Q_OBJECT
public:
    explicit SensitivityController(const Workbench& bench);

private:
    void showResults();
    void showStale();
    void leaveSensitiveSitesInFloat();

    const Workbench m_bench;
};

} // namespace qs
