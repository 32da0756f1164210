#include "core/exporting/onnx_qdq_lint.h"

#include "core/exporting/int8_form.h"

#include <algorithm>
#include <string>

namespace qs {

namespace {

/// Sites that share one remark.
struct Remark
{
    LintFinding::Severity severity;
    const char* sentence;
    std::string first;
    int count = 0;

    void add(const Site& site)
    {
        if (count++ == 0) {
            first = site.name;
        }
    }
};

class Linter
{
public:
    void check(const Site& site, const QuantParams& params)
    {
        if (params.scales.size() != 1 && static_cast<std::int64_t>(params.scales.size()) != site.groups) {
            error(site.name,
                "has " + std::to_string(params.scales.size()) + " scales for " + std::to_string(site.groups)
                    + " groups");
            return;
        }
        if (site.kind == SiteKind::Activation && params.scales.size() > 1) {
            if (site.groupAxis == GroupAxis::Channel) {
                error(site.name,
                    "has one scale per channel, which runtimes take for weights only; choose one per tensor "
                    "or "
                    "reparameterize");
                return;
            }
            m_perHead.add(site);
        }
        if (site.kind == SiteKind::Activation && params.kind != QuantizerKind::Uniform) {
            m_logarithmic.add(site);
            return;
        }
        std::string problem;
        const auto form = int8FormOf(params, problem);
        if (!form) {
            error(site.name, problem);
            return;
        }
        note(site, params, *form);
    }

    void error(const std::string& site, const std::string& problem)
    {
        m_findings.push_back({LintFinding::Severity::Error, site, "site '" + site + "' " + problem});
    }

    std::vector<LintFinding> findings()
    {
        for (const Remark* remark : {&m_zeroPoint, &m_perHead, &m_logarithmic, &m_clipped, &m_lowestCode}) {
            if (remark->count > 0) {
                m_findings.push_back({remark->severity, remark->first,
                    std::to_string(remark->count) + (remark->count == 1 ? " site" : " sites") + " (first '"
                        + remark->first + "') " + remark->sentence});
            }
        }
        return std::move(m_findings);
    }

private:
    void note(const Site& site, const QuantParams& params, const Int8Form& form)
    {
        if (std::ranges::any_of(
                params.zeroPoints, [&](std::int32_t zero) { return form.stored(zero) != 0; })) {
            m_zeroPoint.add(site);
        }
        if (form.clipped) {
            m_clipped.add(site);
        } else if (site.kind == SiteKind::Activation && params.symmetry == Symmetry::Symmetric) {
            m_lowestCode.add(site);
        }
    }

    std::vector<LintFinding> m_findings;
    Remark m_zeroPoint {LintFinding::Severity::Warning,
        "with an int8 zero point other than 0: TensorRT refuses it, ONNX Runtime and OpenVINO run it", {}};
    Remark m_perHead {LintFinding::Severity::Warning,
        "with one scale per head: ONNX Runtime computes it without its integer kernels, TensorRT refuses it",
        {}};
    Remark m_logarithmic {LintFinding::Severity::Note,
        "with logarithmic levels, written as a table: faithful in accuracy, slower than float", {}};
    Remark m_clipped {LintFinding::Severity::Note,
        "with fewer than 8 bits, written as int8 codes in a smaller range: faithful in accuracy, no faster "
        "than 8 bits",
        {}};
    Remark m_lowestCode {LintFinding::Severity::Note,
        "with symmetric 8 bits: runtimes saturate at -128, one code below the simulation's -127", {}};
};

} // namespace

std::vector<LintFinding> lintOnnxQdq(const ExportInput& input)
{
    Linter linter;
    for (const auto& [name, params] : input.quantizers) {
        const int index = indexOfSite(input.model->sites, name);
        if (index < 0) {
            linter.error(name, "is not in the model");
        } else {
            linter.check(input.model->sites[static_cast<std::size_t>(index)], params);
        }
    }
    return linter.findings();
}

} // namespace qs
