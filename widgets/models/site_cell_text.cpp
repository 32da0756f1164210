#include "widgets/models/site_cell_text.h"

#include "widgets/common/display_names.h"
#include "widgets/common/number_format.h"
#include "widgets/models/site_tree_model.h"

using namespace Qt::StringLiterals;

namespace qs {

QString timeText(double milliseconds)
{
    const int decimals = milliseconds >= 100.0 ? 0 : milliseconds >= 10.0 ? 1 : milliseconds >= 1.0 ? 2 : 3;
    return SiteTreeModel::tr("%1 ms").arg(QString::number(milliseconds, 'f', decimals));
}

QString siteCellText(const SiteRow& row, int column)
{
    const SiteChoice& choice = row.choice;
    switch (column) {
    case SiteTreeModel::Name:
        return row.block.isEmpty() || !row.name.startsWith(row.block + u'.')
            ? row.name
            : row.name.mid(row.block.size() + 1);
    case SiteTreeModel::Kind:
        return row.kind == SiteKind::Weight ? SiteTreeModel::tr("W") : SiteTreeModel::tr("A");
    case SiteTreeModel::Bits: return choice.enabled ? QString::number(choice.bits) : SiteTreeModel::tr("FP");
    case SiteTreeModel::Quantizer:
        if (!choice.enabled) {
            return {};
        }
        return choice.kind == QuantizerKind::Uniform && choice.symmetry == Symmetry::Symmetric
            ? SiteTreeModel::tr("uniform sym.")
            : displayName(choice.kind);
    case SiteTreeModel::GranularityColumn:
        return choice.enabled ? displayName(choice.granularity, row.groupAxis) : QString();
    case SiteTreeModel::Method: return choice.enabled ? displayName(choice.method) : QString();
    case SiteTreeModel::Sqnr: return choice.enabled && row.sqnrDb ? formatDecibel(*row.sqnrDb) : QString();
    case SiteTreeModel::Sensitivity: return row.klNats ? formatNumber(*row.klNats, 2) : QString();
    case SiteTreeModel::Time: return row.milliseconds ? timeText(*row.milliseconds) : QString();
    case SiteTreeModel::State: return choice.enabled ? displayName(row.state) : QString();
    default: return {};
    }
}

QString siteCellTip(const SiteRow& row, int column)
{
    switch (column) {
    case SiteTreeModel::Sqnr:
        return row.sqnrDb
            ? SiteTreeModel::tr("SQNR of the site's own values: %1").arg(formatDecibel(*row.sqnrDb))
            : QString();
    case SiteTreeModel::Sensitivity:
        return row.klNats ? SiteTreeModel::tr("KL of the logits with this site alone quantized: %1 nats")
                                .arg(formatNumber(*row.klNats, 3))
                          : QString();
    case SiteTreeModel::Time:
        return row.milliseconds
            ? SiteTreeModel::tr("%1 per sample in the operators that make the values of this site, or "
                                "multiply by this weight")
                  .arg(timeText(*row.milliseconds))
            : SiteTreeModel::tr("Run › Profile measures it");
    case SiteTreeModel::State:
        return row.state == ResultState::Stale ? SiteTreeModel::tr("The figures belong to an earlier plan")
                                               : displayName(row.state);
    default:
        return SiteTreeModel::tr("%1\n%2, %3").arg(row.name, displayName(row.kind), displayName(row.role));
    }
}

QString siteColumnTitle(int column)
{
    switch (column) {
    case SiteTreeModel::Name: return SiteTreeModel::tr("Site");
    case SiteTreeModel::Kind: return SiteTreeModel::tr("W/A");
    case SiteTreeModel::Bits: return SiteTreeModel::tr("Bits");
    case SiteTreeModel::Quantizer: return SiteTreeModel::tr("Quantizer");
    case SiteTreeModel::GranularityColumn: return SiteTreeModel::tr("Granularity");
    case SiteTreeModel::Method: return SiteTreeModel::tr("Bounds");
    case SiteTreeModel::Sqnr: return SiteTreeModel::tr("SQNR");
    case SiteTreeModel::Sensitivity: return SiteTreeModel::tr("Sensitivity");
    case SiteTreeModel::Time: return SiteTreeModel::tr("Time");
    case SiteTreeModel::State: return SiteTreeModel::tr("State");
    default: return {};
    }
}

QString siteColumnTip(int column)
{
    switch (column) {
    case SiteTreeModel::Kind: return SiteTreeModel::tr("Weight or activation");
    case SiteTreeModel::Sqnr: return SiteTreeModel::tr("Signal-to-noise ratio of the site's own values");
    case SiteTreeModel::Sensitivity:
        return SiteTreeModel::tr("KL of the logits when this site alone is quantized, in nats");
    case SiteTreeModel::Time:
        return SiteTreeModel::tr("Time of the forward pass spent here, per sample in a batch of 8");
    default: return {};
    }
}

} // namespace qs
