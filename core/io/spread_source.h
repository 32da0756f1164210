#pragma once

#include "core/io/data_source.h"

namespace qs {

/// The samples of another source in an order whose beginnings are spread over the whole of it: sets are often
/// sorted by class, and their first samples then stand for nothing. Sample i is sample (i * step) mod n of
/// the source, with a step near n times the golden ratio and without a common divisor with n.
class SpreadSource final : public DataSource
{
public:
    explicit SpreadSource(std::shared_ptr<const DataSource> source);

    /// Index in the source of the sample at `index` here.
    [[nodiscard]] std::int64_t original(std::int64_t index) const;

    [[nodiscard]] std::int64_t size() const override { return m_source->size(); }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return m_source->sampleName(original(index));
    }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override
    {
        return m_source->label(original(index));
    }
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t index) const override
    {
        return m_source->samplePath(original(index));
    }
    [[nodiscard]] Tensor load(std::int64_t index) const override { return m_source->load(original(index)); }
    [[nodiscard]] std::string hash() const override { return m_source->hash(); }
    [[nodiscard]] std::string preparation() const override { return m_source->preparation(); }

private:
    std::shared_ptr<const DataSource> m_source;
    std::int64_t m_step = 1;
};

} // namespace qs
