#pragma once

#include "core/eval/evaluate.h"
#include "core/eval/model_form.h"
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
    std::shared_ptr<const ModelForm> form {}; ///< what the plan is for; null: the model as it was opened
};

/// What a method made of the model, with the statistics of what it made.
struct SessionForm
{
    std::shared_ptr<const ModelForm> form;
    std::shared_ptr<const Calibration> calibration; ///< null: not calibrated
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
    std::int64_t calibrationContext = 0; ///< DataOptions::context that the samples were made with
    std::int64_t evaluationContext = 0;
    std::shared_ptr<const Calibration> calibration; ///< null: not calibrated
    Plan plan;
    std::shared_ptr<const ModelForm> form; ///< what the plan is for; null: the model as it was opened
    std::vector<SessionForm> forms; ///< that of the plan and those of the snapshots, each once
    std::vector<Snapshot> snapshots;
    std::vector<SiteSensitivity> sensitivity;
    std::string selectedSite; ///< "" for none
};

/// Writes a .qscope file (HDF5; layout in resources/docs/formats.md) atomically. Throws Error(Io).
void saveSession(const SessionFile& session, const std::filesystem::path& path);
/// Its forms have no models yet: restoreForms(). Throws Error(Io | CorruptFile | Unsupported), naming the
/// file and what is wrong in it.
[[nodiscard]] SessionFile loadSession(const std::filesystem::path& path);

/// Makes the forms' models from the one that was opened, and lets the plan and the snapshots refer to them; a
/// placeholderModel() stands for all of them. Throws Error as rewritten() does.
void restoreForms(SessionFile& session, const std::shared_ptr<const Model>& opened);

/// A model that has the sites and nothing to run: what a session is looked at with when its model is not at
/// hand. Its graph has no nodes.
[[nodiscard]] std::shared_ptr<const Model> placeholderModel(const SessionFile& session);

} // namespace qs
