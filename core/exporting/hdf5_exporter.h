#pragma once

#include "core/exporting/exporter.h"

namespace qs {

/// Our own format for every bit width: integer codes, scales, zero points, graph, plan and provenance in one
/// HDF5 file, which opens again as a model (resources/docs/formats.md "Quantized model (.h5)").
class Hdf5Exporter final : public Exporter
{
public:
    [[nodiscard]] std::string name() const override { return "hdf5"; }
    [[nodiscard]] std::string extension() const override { return ".h5"; }
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::vector<LintFinding> lint(const ExportInput& input) const override;
    void write(const ExportInput& input, const std::filesystem::path& file,
        const TaskContext& context) const override;
    [[nodiscard]] Tensor runFile(
        const std::filesystem::path& file, const Tensor& samples, const TaskContext& context) const override;
};

} // namespace qs
