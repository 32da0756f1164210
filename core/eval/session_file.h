#pragma once

#include "core/eval/evaluate.h"
#include "core/eval/plan_figures.h"
#include "core/eval/sensitivity.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/stats/site_statistics.h"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// A plan kept under a name, with what was measured of it. A value; the plan never changes.
struct Snapshot
{
    std::string name;
    Plan plan;
    PlanFigures figures;
    std::shared_ptr<const Evaluation> evaluation; ///< null: not evaluated
};

/// Everything of a session but the model and the data, which are named by path and hash. Enough to look at
/// without either.
struct SessionFile
{
    std::string modelPath; ///< absolute
    std::string modelName;
    std::string modelHash;
    std::string configHash;
    ModelTask task = ModelTask::Classification;
    std::vector<Site> sites; ///< without value and readers, which are of a graph
    std::string calibrationPath; ///< "" where there is none
    std::string evaluationPath;
    std::shared_ptr<const Calibration> calibration; ///< null: not calibrated
    Plan plan;
    std::vector<Snapshot> snapshots;
    std::vector<SiteSensitivity> sensitivity;
    std::string selectedSite; ///< "" for none
};

/// Writes a .qscope file (HDF5; layout in resources/docs/formats.md) atomically. Throws Error(Io).
void saveSession(const SessionFile& session, const std::filesystem::path& path);
/// Throws Error(Io | CorruptFile | Unsupported), naming the file and what is wrong in it.
[[nodiscard]] SessionFile loadSession(const std::filesystem::path& path);

/// A model that has the sites and nothing to run: what a session is looked at with when its model is not at
/// hand. Its graph has no nodes.
[[nodiscard]] std::shared_ptr<const Model> placeholderModel(const SessionFile& session);

} // namespace qs
