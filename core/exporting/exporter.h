#pragma once

#include "core/base/task_context.h"
#include "core/io/data_source.h"
#include "core/models/model.h"
#include "core/quant/plan.h"
#include "core/quant/resolve.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// What an exporter writes: the model, the plan and its resolved quantizers, and where they came from.
struct ExportInput
{
    std::shared_ptr<const Model> model;
    Plan plan;
    ResolvedPlan quantizers;
    std::string calibrationHash;
    std::string toolVersion;
};

/// One finding of the profile linter; errors forbid writing.
struct LintFinding
{
    enum class Severity { Note, Warning, Error };
    Severity severity = Severity::Note;
    std::string site;
    std::string sentence;
};

/// One output format. Registered by name in exporters().
class Exporter
{
public:
    virtual ~Exporter() = default;
    [[nodiscard]] virtual std::string name() const = 0; ///< "onnx-qdq", "hdf5"
    [[nodiscard]] virtual std::string extension() const = 0; ///< ".onnx"
    [[nodiscard]] virtual std::string description() const = 0; ///< one line for the dialog
    /// What the target runtime would not accept or would compute otherwise than the screen shows.
    [[nodiscard]] virtual std::vector<LintFinding> lint(const ExportInput& input) const = 0;
    /// Writes atomically. Throws Error(Unsupported) with the first lint error, Error(Io).
    virtual void write(
        const ExportInput& input, const std::filesystem::path& file, const TaskContext& context) const = 0;
    /// Reads the file back with the program's own reader, runs it on `samples` and returns its logits [N,
    /// classes].
    [[nodiscard]] virtual Tensor runFile(
        const std::filesystem::path& file, const Tensor& samples, const TaskContext& context) const = 0;
};

[[nodiscard]] const std::vector<std::unique_ptr<Exporter>>& exporters();
/// Throws Error(InvalidArgument) listing the known names.
[[nodiscard]] const Exporter& exporterNamed(const std::string& name);

/// Throws Error(Unsupported) with the first error that the format's linter finds.
void requireNoLintErrors(const Exporter& exporter, const ExportInput& input);

/// Round-trip proof: the file's logits against the simulation's on the same samples.
struct Verification
{
    std::int64_t samples = 0;
    double sqnrDb = 0.0;
    double maxAbsDifference = 0.0;
    double agreementPercent = 0.0;
};
[[nodiscard]] Verification verifyExport(const Exporter& exporter, const ExportInput& input,
    const std::filesystem::path& file, const Tensor& samples, const TaskContext& context = {});

} // namespace qs
