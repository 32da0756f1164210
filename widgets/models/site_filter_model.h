#pragma once

#include <QSet>
#include <QSortFilterProxyModel>
#include <QString>

#include <optional>

namespace qs {

/// The filter of the site tree: words that name or role must contain, and optionally a set of sites that
/// alone are shown. Blocks appear with the sites that pass; a block that matches by its own name shows all
/// its sites, unless the set says otherwise.
class SiteFilterModel : public QSortFilterProxyModel
{
    Q_OBJECT
public:
    explicit SiteFilterModel(QObject* parent = nullptr);

    /// All words, in any order, case ignored.
    void setWords(const QString& words);
    /// nullopt: no restriction.
    void setOnly(const std::optional<QSet<QString>>& sites);

protected:
    [[nodiscard]] bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

private:
    [[nodiscard]] bool matches(const QModelIndex& index) const;

    QStringList m_words;
    std::optional<QSet<QString>> m_only;
};

} // namespace qs
