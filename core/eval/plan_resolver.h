#pragma once

#include "core/quant/resolve.h"

#include <map>
#include <memory>
#include <string>

namespace qs {

struct ModelForm;

/// Resolves plans again and again while a user edits: sites whose choice did not change since the last call
/// keep their parameters, so one edit costs one site. One thread at a time.
class PlanResolver
{
public:
    /// form: what `model` is the result of, null where it is a model as it was opened. Sites whose choice is
    /// still that of the form keep the quantizer that the form has.
    PlanResolver(std::shared_ptr<const Model> model, std::shared_ptr<const Calibration> calibration,
        std::shared_ptr<const ModelForm> form = nullptr);

    /// Same result as resolvePlan() (but for the form's sites), whatever was asked before. Throws Error as it
    /// does; Cancelled leaves the cache of finished sites intact.
    [[nodiscard]] ResolvedPlan resolve(const Plan& plan, const TaskContext& context = {});
    /// One site, cached as well. The choice need not be enabled.
    [[nodiscard]] const QuantParams& resolve(int site, const SiteChoice& choice);

private:
    struct Entry
    {
        SiteChoice choice;
        QuantParams params;
    };

    std::shared_ptr<const Model> m_model;
    std::shared_ptr<const Calibration> m_calibration;
    std::shared_ptr<const ModelForm> m_form;
    std::map<std::string, Entry> m_entries;
};

} // namespace qs
