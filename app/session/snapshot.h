#pragma once

#include "core/eval/evaluate.h"
#include "core/eval/plan_figures.h"
#include "core/quant/plan.h"

#include <QString>

#include <memory>

namespace qs {

/// A plan kept under a name, with what was measured of it. A value; the plan never changes.
struct Snapshot
{
    QString name;
    Plan plan;
    PlanFigures figures;
    std::shared_ptr<const Evaluation> evaluation; ///< null: not evaluated
};

} // namespace qs
