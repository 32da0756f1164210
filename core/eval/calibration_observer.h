#pragma once

#include "core/graph/site.h"
#include "core/runtime/executor.h"
#include "core/stats/site_accumulator.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace qs {

/// Hands every activation to the accumulator of its site.
class CalibrationObserver final : public SiteObserver
{
public:
    explicit CalibrationObserver(const std::vector<Site>& sites);

    [[nodiscard]] bool wants(int site) const override;
    void observe(int site, const ActivationView& view) override;
    /// What was seen, by site name; activations only. Ends the observation: each accumulator gives way to its
    /// result, so that a large model's statistics are not there twice.
    [[nodiscard]] std::map<std::string, std::shared_ptr<const SiteStatistics>> finish();

private:
    std::vector<std::unique_ptr<SiteAccumulator>> m_accumulators; ///< by site; null for weights
};

} // namespace qs
