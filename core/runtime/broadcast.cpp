#include "core/runtime/broadcast.h"

#include "core/base/error.h"
#include "core/base/parallel.h"

#include <algorithm>
#include <array>

namespace qs {

namespace {

constexpr std::size_t kMaxOperands = 4;

} // namespace

Dims broadcastDims(const Node& node, const Dims& a, const Dims& b)
{
    const std::size_t rank = std::max(a.size(), b.size());
    Dims dims(rank);
    for (std::size_t i = 0; i < rank; ++i) {
        const std::int64_t left = i + a.size() < rank ? 1 : a[i + a.size() - rank];
        const std::int64_t right = i + b.size() < rank ? 1 : b[i + b.size() - rank];
        if (left != right && left != 1 && right != 1) {
            throw Error(ErrorCode::ShapeMismatch,
                node.op + " '" + node.name + "': shapes " + Shape(a).text() + " and " + Shape(b).text()
                    + " do not broadcast");
        }
        dims[i] = left == 1 ? right : left;
    }
    return dims;
}

Array broadcastView(const Array& array, const Dims& dims)
{
    Array view = array;
    view.dims = dims;
    view.strides.assign(dims.size(), 0);
    const std::size_t missing = dims.size() - array.rank();
    for (std::size_t i = 0; i < array.rank(); ++i) {
        view.strides[missing + i] = array.dims[i] == dims[missing + i] ? array.strides[i] : 0;
    }
    return view;
}

BroadcastLoop::BroadcastLoop(const std::vector<const Array*>& operands, const Dims& dims)
    : m_strides(operands.size())
{
    std::vector<Dims> strides;
    for (const Array* operand : operands) {
        strides.push_back(broadcastView(*operand, dims).strides);
    }
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        const std::int64_t n = dims[axis];
        if (n == 1) {
            continue;
        }
        bool merge = !m_dims.empty();
        for (std::size_t i = 0; merge && i < strides.size(); ++i) {
            merge = m_strides[i].back() == n * strides[i][axis];
        }
        if (merge) {
            m_dims.back() *= n;
        } else {
            m_dims.push_back(n);
        }
        for (std::size_t i = 0; i < strides.size(); ++i) {
            if (merge) {
                m_strides[i].back() = strides[i][axis];
            } else {
                m_strides[i].push_back(strides[i][axis]);
            }
        }
    }
    if (m_dims.empty()) {
        m_dims.push_back(1);
        for (Dims& own : m_strides) {
            own.push_back(1);
        }
    }
}

void BroadcastLoop::run(std::int64_t grain,
    const std::function<void(std::int64_t, const std::int64_t*, std::int64_t)>& body) const
{
    const std::size_t inner = m_dims.size() - 1;
    const std::int64_t width = m_dims[inner];
    const std::int64_t rows = product(m_dims, 0, inner);
    if (width == 0 || rows == 0) {
        return;
    }
    if (rows == 1) {
        parallelFor(width, grain, [&](std::int64_t begin, std::int64_t end) {
            std::array<std::int64_t, kMaxOperands> offsets {};
            for (std::size_t i = 0; i < m_strides.size(); ++i) {
                offsets[i] = begin * m_strides[i][inner];
            }
            body(begin, offsets.data(), end - begin);
        });
        return;
    }
    parallelFor(rows, std::max<std::int64_t>(1, grain / width), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            std::array<std::int64_t, kMaxOperands> offsets {};
            std::int64_t rest = row;
            for (std::size_t axis = inner; axis-- > 0;) {
                const std::int64_t index = rest % m_dims[axis];
                rest /= m_dims[axis];
                for (std::size_t i = 0; i < m_strides.size(); ++i) {
                    offsets[i] += index * m_strides[i][axis];
                }
            }
            body(row * width, offsets.data(), width);
        }
    });
}

} // namespace qs
