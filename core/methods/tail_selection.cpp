#include "core/methods/tail_selection.h"

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

namespace qs {

TailSelection::TailSelection(Side side, std::size_t count)
    : m_sign(side == Side::Highest ? 1.0F : -1.0F)
    , m_count(count)
    , m_threshold(-std::numeric_limits<float>::infinity())
{
}

void TailSelection::offer(float value)
{
    if (m_heap.size() < m_count) {
        if (value == value) {
            m_heap.push_back(value);
            std::ranges::push_heap(m_heap, std::greater<float> {});
        }
    } else if (value > m_heap.front()) {
        std::ranges::pop_heap(m_heap, std::greater<float> {});
        m_heap.back() = value;
        std::ranges::push_heap(m_heap, std::greater<float> {});
    }
    if (m_heap.size() == m_count) {
        m_threshold = m_heap.front();
    }
}

void TailSelection::add(std::span<const float> values)
{
    constexpr std::size_t kLanes = 16;
    std::size_t i = 0;
    for (; i + kLanes <= values.size(); i += kLanes) {
        std::array<int, kLanes> above {};
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            above[lane] = m_sign * values[i + lane] > m_threshold ? 1 : 0;
        }
        int any = 0;
        for (const int flag : above) {
            any |= flag;
        }
        for (std::size_t lane = 0; any != 0 && lane < kLanes; ++lane) {
            offer(m_sign * values[i + lane]);
        }
    }
    for (; i < values.size(); ++i) {
        offer(m_sign * values[i]);
    }
}

std::vector<float> TailSelection::take()
{
    std::ranges::sort(m_heap, std::greater<float> {});
    for (float& value : m_heap) {
        value *= m_sign;
    }
    return std::move(m_heap);
}

} // namespace qs
