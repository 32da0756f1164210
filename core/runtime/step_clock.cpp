#include "core/runtime/step_clock.h"

#include <algorithm>

namespace qs {

void StepClock::pause()
{
    if (m_profile != nullptr) {
        m_wall += std::chrono::duration<double>(Clock::now() - m_start).count();
    }
}

void StepClock::resume()
{
    if (m_profile != nullptr) {
        m_start = Clock::now();
    }
}

void StepClock::finish(std::span<const Part> parts)
{
    if (m_profile == nullptr) {
        return;
    }
    pause();
    std::int64_t all = 0;
    for (const auto& spent : m_spent) {
        all += spent;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const double share = all == 0 ? 1.0 / static_cast<double>(parts.size())
                                      : static_cast<double>(m_spent[i]) / static_cast<double>(all);
        if (parts[i].node == nullptr) {
            m_profile->transforms += m_wall * share;
        } else {
            m_profile->add(*parts[i].node, m_wall * share, parts[i].operations);
        }
    }
}

} // namespace qs
