#pragma once

#include "core/exporting/exporter.h"

namespace qs {

/// ONNX QDQ in the portable profile: int8, opset 17, IR 8 (interop.md 4.1; resources/docs/formats.md "ONNX
/// QDQ"). Loads unchanged in ONNX Runtime; with symmetric activations also in TensorRT and OpenVINO.
class OnnxQdqExporter final : public Exporter
{
public:
    [[nodiscard]] std::string name() const override { return "onnx-qdq"; }
    [[nodiscard]] std::string extension() const override { return ".onnx"; }
    [[nodiscard]] std::string description() const override;
    [[nodiscard]] std::vector<LintFinding> lint(const ExportInput& input) const override;
    void write(const ExportInput& input, const std::filesystem::path& file,
        const TaskContext& context) const override;
    [[nodiscard]] Tensor runFile(
        const std::filesystem::path& file, const Tensor& samples, const TaskContext& context) const override;
};

} // namespace qs
