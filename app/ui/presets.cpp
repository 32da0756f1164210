#include "app/ui/presets.h"

#include <QCoreApplication>

namespace qs {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("Presets", text);
}

QString methodName(BoundMethod method)
{
    switch (method) {
    case BoundMethod::Percentile: return tr("percentile");
    case BoundMethod::Mse: return tr("least squares");
    case BoundMethod::Kl: return tr("least divergence");
    case BoundMethod::MinMax:
    case BoundMethod::Manual: break;
    }
    return tr("min-max");
}

} // namespace

QList<NamedPreset> presets()
{
    QList<NamedPreset> list;
    for (const int bits : {8, 6, 4}) {
        for (const BoundMethod method : kAutomaticMethods) {
            PresetOptions options;
            options.weightBits = bits;
            options.activationBits = bits;
            options.method = method;
            list.append({tr("W%1A%1, %2").arg(bits).arg(methodName(method)),
                tr("Every site at these bits, one scale per activation tensor"), options});
        }
    }
    PresetOptions perChannel;
    perChannel.weightBits = 4;
    perChannel.activationBits = 4;
    perChannel.method = BoundMethod::Percentile;
    perChannel.normGranularity = Granularity::Group;
    perChannel.softmaxKind = QuantizerKind::LogSqrt2;
    list.append({tr("W4A4, LayerNorm per channel, log-√2 softmax"),
        tr("What RepQ-ViT quantizes with before reparameterization"), perChannel});
    PresetOptions portable;
    portable.symmetry = Symmetry::Symmetric;
    portable.weightSymmetry = Symmetry::Symmetric;
    list.append({tr("Portable int8"), tr("W8A8, symmetric: what every ONNX runtime takes"), portable});
    return list;
}

} // namespace qs
