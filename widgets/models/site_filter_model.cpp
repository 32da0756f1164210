#include "widgets/models/site_filter_model.h"

#include "widgets/models/site_tree_model.h"

#include <algorithm>

namespace qs {

SiteFilterModel::SiteFilterModel(QObject* parent)
    : QSortFilterProxyModel(parent)
{
    setRecursiveFilteringEnabled(true);
}

void SiteFilterModel::setWords(const QString& words)
{
    const QStringList list = words.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    if (list != m_words) {
        m_words = list;
        invalidateFilter();
    }
}

void SiteFilterModel::setOnly(const std::optional<QSet<QString>>& sites)
{
    if (sites != m_only) {
        m_only = sites;
        invalidateFilter();
    }
}

bool SiteFilterModel::matches(const QModelIndex& index) const
{
    const QString text = index.data(SiteTreeModel::SearchTextRole).toString();
    return std::all_of(m_words.begin(), m_words.end(),
        [&text](const QString& word) { return text.contains(word, Qt::CaseInsensitive); });
}

bool SiteFilterModel::filterAcceptsRow(int row, const QModelIndex& parent) const
{
    const QModelIndex index = sourceModel()->index(row, SiteTreeModel::Name, parent);
    const QString site = index.data(SiteTreeModel::SiteNameRole).toString();
    if (site.isEmpty()) { // a block stands for its sites
        return !m_only && matches(index);
    }
    return (!m_only || m_only->contains(site)) && (matches(index) || (parent.isValid() && matches(parent)));
}

} // namespace qs
