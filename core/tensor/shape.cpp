#include "core/tensor/shape.h"

#include "core/base/error.h"

namespace qs {

namespace {

std::string bracketed(const std::vector<std::int64_t>& dims)
{
    std::string text = "[";
    for (std::size_t i = 0; i < dims.size(); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
    }
    return text + "]";
}

std::int64_t checkedCount(const std::vector<std::int64_t>& dims)
{
    if (dims.size() > Shape::kMaxRank) {
        throw Error(ErrorCode::InvalidArgument,
            "a tensor of rank " + std::to_string(dims.size()) + " is beyond the limit of "
                + std::to_string(Shape::kMaxRank));
    }
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) {
        if (dim < 0) {
            throw Error(ErrorCode::InvalidArgument, "shape " + bracketed(dims) + " has a negative dimension");
        }
        if (__builtin_mul_overflow(count, dim, &count)) {
            throw Error(ErrorCode::InvalidArgument, "shape " + bracketed(dims) + " has more elements than fit 64 bits");
        }
    }
    return count;
}

} // namespace

Shape::Shape(std::initializer_list<std::int64_t> dims)
    : Shape(std::vector<std::int64_t>(dims))
{
}

Shape::Shape(std::vector<std::int64_t> dims)
    : m_dims(std::move(dims))
    , m_count(checkedCount(m_dims))
{
}

std::int64_t Shape::product(std::size_t first, std::size_t last) const
{
    std::int64_t count = 1;
    for (std::size_t axis = first; axis < last; ++axis) {
        count *= m_dims[axis];
    }
    return count;
}

std::string Shape::text() const
{
    return bracketed(m_dims);
}

} // namespace qs
