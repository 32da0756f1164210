#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace qs {

/// The `count` largest (or smallest) of a stream of values, exactly; one comparison per value where few of
/// them qualify. NaN is passed over.
class TailSelection
{
public:
    enum class Side { Lowest, Highest };
    /// count >= 1
    TailSelection(Side side, std::size_t count);

    void add(std::span<const float> values);
    /// Outermost first; as many as were asked for or given. Ends the selection.
    [[nodiscard]] std::vector<float> take();

private:
    void offer(float value);

    float m_sign; ///< 1: largest; -1: the largest of the negated values
    std::size_t m_count;
    float m_threshold; ///< smallest kept, times sign, once the selection is full
    std::vector<float> m_heap; ///< times sign, the smallest first
};

} // namespace qs
