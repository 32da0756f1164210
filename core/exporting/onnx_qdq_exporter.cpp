#include "core/exporting/onnx_qdq_exporter.h"

#include "core/base/error.h"
#include "core/exporting/onnx_qdq_lint.h"
#include "core/exporting/qdq_graph.h"
#include "core/exporting/run_model.h"
#include "core/io/onnx_reader.h"
#include "core/io/onnx_writer.h"
#include "core/io/plan_json.h"

namespace qs {

std::string OnnxQdqExporter::description() const
{
    return "ONNX with QuantizeLinear/DequantizeLinear, int8, opset 17: ONNX Runtime, TensorRT, OpenVINO";
}

std::vector<LintFinding> OnnxQdqExporter::lint(const ExportInput& input) const
{
    return lintOnnxQdq(input);
}

void OnnxQdqExporter::write(
    const ExportInput& input, const std::filesystem::path& file, const TaskContext& context) const
{
    requireNoLintErrors(*this, input);
    context.throwIfCancelled();
    const auto graph = QdqGraphBuilder(*input.model->graph, input.model->sites, input.quantizers).build();
    context.throwIfCancelled();
    OnnxDescription description;
    description.graphName = input.model->name;
    description.producerVersion = input.toolVersion;
    description.metadata = {{"quantoscope.model_sha256", input.model->hash},
        {"quantoscope.calibration_sha256", input.calibrationHash},
        {"quantoscope.plan", planToJson(input.plan)}};
    writeOnnxFile(*graph, description, file);
}

Tensor OnnxQdqExporter::runFile(
    const std::filesystem::path& file, const Tensor& samples, const TaskContext& context) const
{
    auto model = std::make_shared<Model>();
    model->path = file;
    model->name = file.stem().string();
    model->graph = readOnnxFile(file).graph;
    Executor executor(std::move(model));
    return runModel(executor, samples, context);
}

} // namespace qs
