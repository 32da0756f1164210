#include "core/stats/weight_statistics.h"

#include "core/base/error.h"
#include "core/stats/site_accumulator.h"

namespace qs {

SiteStatistics weightStatistics(const std::string& site, const Tensor& weight, int axis)
{
    const Shape& shape = weight.shape();
    if (axis < 0 || static_cast<std::size_t>(axis) >= shape.rank()) {
        throw Error(ErrorCode::ShapeMismatch,
            "a weight of shape " + shape.text() + " has no output channels along axis "
                + std::to_string(axis));
    }
    const auto position = static_cast<std::size_t>(axis);
    const std::int64_t channels = shape[position];
    const std::int64_t outer = shape.product(0, position);
    const std::int64_t inner = shape.product(position + 1, shape.rank());
    const Tensor values = weight.toF32();
    // [outer, channels, inner]: the output channels are the columns when nothing lies behind them, else the
    // heads.
    ActivationView view;
    view.data = values.data<float>().data();
    view.batch = 1;
    if (inner == 1) {
        view.rows = outer;
        view.width = channels;
        view.rowStride = channels;
        SiteAccumulator accumulator(site, GroupAxis::Channel, Role::Other, channels);
        accumulator.observe(view);
        return *accumulator.finish();
    }
    view.heads = channels;
    view.rows = outer;
    view.width = inner;
    view.headStride = inner;
    view.rowStride = channels * inner;
    SiteAccumulator accumulator(site, GroupAxis::Head, Role::Other, channels);
    accumulator.observe(view);
    SiteStatistics statistics = *accumulator.finish();
    statistics.axis = GroupAxis::Channel;
    return statistics;
}

} // namespace qs
