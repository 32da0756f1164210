#include "widgets/common/display_names.h"

#include "core/quant/ada_log.h"

#include <QCoreApplication>
#include <QLocale>

#include <algorithm>
#include <cmath>

using namespace Qt::StringLiterals;

namespace qs {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("DisplayNames", text);
}

} // namespace

QString displayName(Role role)
{
    switch (role) {
    case Role::PatchEmbedding: return tr("patch embedding");
    case Role::PostNormQkv: return tr("post-LayerNorm, to qkv");
    case Role::Query: return tr("query");
    case Role::Key: return tr("key");
    case Role::Softmax: return tr("softmax");
    case Role::Value: return tr("value");
    case Role::Projection: return tr("attention projection");
    case Role::PostNormFc1: return tr("post-LayerNorm, to fc1");
    case Role::PostGeluFc2: return tr("post-GELU, to fc2");
    case Role::Head: return tr("classifier head");
    case Role::FrontEnd: return tr("signal front end");
    case Role::Other: break;
    }
    return tr("other");
}

QString displayName(SiteKind kind)
{
    return kind == SiteKind::Weight ? tr("weight") : tr("activation");
}

QString displayName(QuantizerKind kind)
{
    switch (kind) {
    case QuantizerKind::Uniform: return tr("uniform");
    case QuantizerKind::Log2: return tr("log2");
    case QuantizerKind::LogSqrt2: return tr("log\u221A2");
    case QuantizerKind::AdaLog: return tr("AdaLog");
    }
    return {};
}

QString baseText(const QuantParams& params)
{
    switch (params.kind) {
    case QuantizerKind::Uniform: return {};
    case QuantizerKind::Log2: return u"2"_s;
    case QuantizerKind::LogSqrt2: return u"\u221A2"_s;
    case QuantizerKind::AdaLog: break;
    }
    int least = kMostAdaLogBase;
    int most = kLeastAdaLogBase;
    for (const Bounds& bounds : params.bounds) {
        least = std::min(least, adaLogBase(bounds));
        most = std::max(most, adaLogBase(bounds));
    }
    const auto number = [](int base) {
        return QLocale().toString(std::exp2(static_cast<double>(base) / kAdaLogUnit), 'f', 3);
    };
    return least == most ? u"%1 = 2^(%2/%3)"_s.arg(number(least)).arg(least).arg(kAdaLogUnit)
                         : number(least) + u" \u2026 "_s + number(most);
}

QString displayName(Symmetry symmetry)
{
    return symmetry == Symmetry::Symmetric ? tr("symmetric") : tr("asymmetric");
}

QString displayName(Granularity granularity, GroupAxis axis)
{
    if (granularity == Granularity::Tensor) {
        return tr("per tensor");
    }
    return axis == GroupAxis::Head ? tr("per head") : tr("per channel");
}

QString displayName(BoundMethod method)
{
    switch (method) {
    case BoundMethod::MinMax: return tr("min-max");
    case BoundMethod::Percentile: return tr("percentile");
    case BoundMethod::Mse: return tr("least MSE");
    case BoundMethod::Kl: return tr("least KL");
    case BoundMethod::Manual: return tr("manual");
    }
    return {};
}

QString displayName(ResultState state)
{
    switch (state) {
    case ResultState::None: return {};
    case ResultState::Computing: return tr("computing");
    case ResultState::Live: return tr("live");
    case ResultState::Stale: return tr("stale");
    }
    return {};
}

QString displayName(GroupAxis axis)
{
    return axis == GroupAxis::Head ? tr("head") : tr("channel");
}

} // namespace qs
