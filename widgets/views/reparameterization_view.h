#pragma once

#include "core/eval/reparameterization_effect.h"
#include "widgets/common/result_state.h"

#include <QString>
#include <QWidget>

#include <vector>

class QCheckBox;
class QLabel;
class QPushButton;
class QStackedLayout;
class QTableWidget;

namespace qs {

class ChannelRangePlot;
class ElidedLabel;
class EmptyLabel;

/// Which norms are reparameterized, as the switches show it.
struct ReparameterizationSwitches
{
    bool thisOne = false;
    int on = 0; ///< of all norms
    int total = 0;
    QString locked; ///< why they cannot be moved; empty: they can
    bool hasBounds = false; ///< there are bounds per channel to be taken to the channel map
};

/// Scale reparameterization of one norm as what it is: every channel's range under one scale before and
/// after, what happens to the error of the activation, of the weights behind it and of their outputs, and
/// that the model in floating point says the same. Switches apply it to this norm or to all. Shows only what
/// was measured.
class ReparameterizationView : public QWidget
{
    Q_OBJECT
public:
    explicit ReparameterizationView(QWidget* parent = nullptr);

    /// One sentence in place of everything.
    void setEmptyText(const QString& text);
    /// The norm's site; figures of another one go.
    void setSite(const QString& site);
    /// learned: clipping bounds per channel that training left, in units of the values before; empty: none.
    void setEffect(const ReparameterizationEffect& effect, const std::vector<Bounds>& learned);
    void setState(ResultState state); ///< of the figures
    void setSwitches(const ReparameterizationSwitches& switches); ///< silent

    [[nodiscard]] QCheckBox* thisSwitch() const { return m_this; }
    [[nodiscard]] QCheckBox* allSwitch() const { return m_all; }
    [[nodiscard]] QPushButton* boundsButton() const { return m_bounds; }
    [[nodiscard]] QTableWidget* table() const { return m_table; }
    [[nodiscard]] ChannelRangePlot* before() const { return m_before; }
    [[nodiscard]] ChannelRangePlot* after() const { return m_after; }

signals:
    void thisToggled(bool on); ///< by the user, as are the others
    void allToggled(bool on);
    void boundsRequested(); ///< the bounds per channel are to go to the channel map
    void shown(); ///< it can be seen from now on

protected:
    void showEvent(QShowEvent* event) override;

private:
    void addRow(const QString& name, const QString& tip, const QString& before, const QString& after,
        const QString& change);
    /// name: with %1 for the layer, of which the last part is shown.
    void addDecibels(const QString& name, const QString& layer, double before, double after);

    EmptyLabel* m_empty;
    ElidedLabel* m_title;
    QLabel* m_state;
    QCheckBox* m_this;
    QCheckBox* m_all;
    QPushButton* m_bounds;
    ChannelRangePlot* m_before;
    ChannelRangePlot* m_after;
    QTableWidget* m_table;
    QWidget* m_figures;
    QStackedLayout* m_stack;
    QString m_site;
};

} // namespace qs
