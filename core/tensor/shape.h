#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace qs {

/// Dimensions of a tensor, outermost first. Rank 0 is a scalar. Every dimension is >= 0 and the element count fits
/// std::int64_t: the constructor throws Error(InvalidArgument) otherwise, so sizes taken from files are checked here.
class Shape
{
public:
    static constexpr std::size_t kMaxRank = 32;

    Shape() = default;
    Shape(std::initializer_list<std::int64_t> dims);
    explicit Shape(std::vector<std::int64_t> dims);

    [[nodiscard]] std::size_t rank() const { return m_dims.size(); }
    [[nodiscard]] std::int64_t operator[](std::size_t axis) const { return m_dims[axis]; }
    [[nodiscard]] std::int64_t back() const { return m_dims.back(); }
    [[nodiscard]] const std::vector<std::int64_t>& dims() const { return m_dims; }
    [[nodiscard]] std::int64_t elementCount() const { return m_count; }
    /// Product of the dimensions [first, last).
    [[nodiscard]] std::int64_t product(std::size_t first, std::size_t last) const;
    /// "[2, 197, 192]"
    [[nodiscard]] std::string text() const;

    friend bool operator==(const Shape& a, const Shape& b) { return a.m_dims == b.m_dims; }

private:
    std::vector<std::int64_t> m_dims;
    std::int64_t m_count = 1;
};

} // namespace qs
