#pragma once

#include "core/quant/quantizer.h"
#include "core/stats/site_statistics.h"
#include "widgets/common/edit_phase.h"
#include "widgets/models/site_row.h"
#include "widgets/plot/ghost_quantizer.h"

#include <QTimer>
#include <QVector>
#include <QWidget>

#include <memory>
#include <optional>

class QLabel;
class QLayout;
class QSplitter;
class QStackedLayout;

namespace qs {

class ChannelMap;
class DistributionControls;
class DistributionPlot;
class ElidedLabel;
class EmptyLabel;
class NumberEdit;

/// Everything about the values of one site: title line, channel map, histogram of the tensor, a channel or a
/// head, and the two bounds with numeric entry. Feed it statistics and the quantizer; levels, error density
/// and the zeroing cut-off follow from them.
///
/// For live drags: on boundsEdited resolve the quantizer and give it back with setQuantizer(); that redraws
/// only the moving parts.
class DistributionView : public QWidget
{
    Q_OBJECT
public:
    explicit DistributionView(QWidget* parent = nullptr);

    /// nullopt shows the empty state. Another name gives up the selected group, statistics and quantizer; the
    /// same name changes nothing that is seen.
    void setSite(const std::optional<SiteRow>& site);
    /// Of the site set before; weights too (groups are output channels). Null: not computed yet.
    void setStatistics(std::shared_ptr<const SiteStatistics> statistics);
    /// The quantizer that the plan resolves to; nullopt: floating point, no bounds shown.
    void setQuantizer(const std::optional<QuantParams>& params);
    /// Squared error per group, for sorting the channel map; empty: not known.
    void setGroupErrors(std::vector<double> errors);
    /// To look at only: bounds are shown, but not for the hand.
    void setReadOnly(bool readOnly);
    /// -1: the whole tensor. Silent.
    void setSelectedGroup(int group);
    [[nodiscard]] int selectedGroup() const { return m_group; }
    /// Which entries of SiteChoice::manualBounds an edit concerns: none when the quantizer has one scale;
    /// else the selected group, the marked ones, or, in a drag begun with Alt, all groups marked last
    /// together with the selected one (without such marks all groups).
    [[nodiscard]] QVector<int> editedGroups() const;
    /// Quantizers to show as overlays, as the user ticked them; by what the plan holds for the site now.
    [[nodiscard]] std::vector<GhostChoice> ghostChoices() const;
    /// The answer to ghostsRequested().
    void setGhosts(std::vector<GhostQuantizer> ghosts);
    [[nodiscard]] const std::vector<GhostQuantizer>& ghosts() const { return m_ghosts; }
    [[nodiscard]] bool isInGesture() const;
    void setEmptyText(const QString& text);

    [[nodiscard]] QString summary() const; ///< of the title line
    [[nodiscard]] DistributionPlot* distributionPlot() const { return m_plot; }
    [[nodiscard]] ChannelMap* channelMap() const { return m_map; }
    [[nodiscard]] NumberEdit* lowerEdit() const;
    [[nodiscard]] NumberEdit* upperEdit() const;
    [[nodiscard]] QByteArray saveState() const; ///< of the splitter
    void restoreState(const QByteArray& state);

signals:
    /// Begin carries the bounds before the gesture, Abort the same again; concerns editedGroups(). For
    /// logarithmic quantizers upper is d and lower 0.
    void boundsEdited(const qs::Bounds& bounds, qs::EditPhase phase);
    void groupSelected(int group); ///< -1: the tensor
    void automaticRequested(qs::BoundMethod method);
    void ghostsRequested(); ///< ghostChoices() changed

protected:
    void changeEvent(QEvent* event) override;

private:
    [[nodiscard]] QLayout* buildTitle();
    void restyle();
    void connectPlots();
    void selectGroupByUser(int group);
    void showGroup();
    void showHistogram();
    void showBrush(const QVector<int>& groups);
    void showBrushedHistogram();
    void showQuantizer();
    void showPage();
    void showTitle();
    void editNumerically(const Bounds& bounds);
    void syncNumbers(const std::optional<Bounds>& bounds);
    void updateToggles();
    void showGhosts();
    void showPercentiles();
    [[nodiscard]] std::optional<Bounds> shownBounds() const;
    [[nodiscard]] bool shownGroupsAgree() const;
    [[nodiscard]] QuantParams paramsOf(std::int64_t group) const; ///< with the bounds of that one alone
    [[nodiscard]] bool hasGroupBounds() const;

    std::optional<SiteRow> m_site;
    QString m_emptyText;
    std::shared_ptr<const SiteStatistics> m_statistics;
    std::shared_ptr<const Histogram> m_tensorHistogram;
    std::optional<QuantParams> m_params;
    bool m_readOnly = false;
    int m_group = -1;
    QVector<int> m_lastBrush; ///< the latest that held anything
    bool m_groupGesture = false; ///< the present drag moves a whole set of groups
    std::vector<GhostQuantizer> m_ghosts;
    QVector<int> m_brush; ///< groups marked in the channel map; shown together while no group is selected

    EmptyLabel* m_empty;
    QStackedLayout* m_stack;
    QTimer m_pageDelay; ///< until missing statistics are said to be missing
    QLabel* m_icon;
    QLabel* m_name;
    ElidedLabel* m_summary;
    QSplitter* m_splitter;
    ChannelMap* m_map;
    DistributionPlot* m_plot;
    DistributionControls* m_controls;
};

} // namespace qs
