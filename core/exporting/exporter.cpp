#include "core/exporting/exporter.h"

#include "core/base/error.h"
#include "core/exporting/hdf5_exporter.h"
#include "core/exporting/onnx_qdq_exporter.h"

#include <algorithm>

namespace qs {

const std::vector<std::unique_ptr<Exporter>>& exporters()
{
    static const auto all = [] {
        std::vector<std::unique_ptr<Exporter>> list;
        list.push_back(std::make_unique<OnnxQdqExporter>());
        list.push_back(std::make_unique<Hdf5Exporter>());
        return list;
    }();
    return all;
}

const Exporter& exporterNamed(const std::string& name)
{
    std::string known;
    for (const auto& exporter : exporters()) {
        if (exporter->name() == name) {
            return *exporter;
        }
        known += (known.empty() ? "" : ", ") + exporter->name();
    }
    throw Error(ErrorCode::InvalidArgument, "there is no export format '" + name + "'; known are " + known);
}

void requireNoLintErrors(const Exporter& exporter, const ExportInput& input)
{
    const auto findings = exporter.lint(input);
    const auto error = std::ranges::find(findings, LintFinding::Severity::Error, &LintFinding::severity);
    if (error != findings.end()) {
        throw Error(ErrorCode::Unsupported, "cannot export as " + exporter.name() + ": " + error->sentence);
    }
}

} // namespace qs
