#pragma once

#include "app/jobs/reparameterization_task.h"
#include "app/ui/workbench.h"

#include <QObject>
#include <QTimer>

#include <optional>

namespace qs {

class ReparameterizationView;

/// Measures scale reparameterization of the selected norm as soon as its view can be seen, and carries out
/// what the view's switches ask for. The figures are computed on the live lane; an edit gives them up.
class ReparameterizationController : public QObject
{
    Q_OBJECT
public:
    explicit ReparameterizationController(const Workbench& bench);

    [[nodiscard]] ReparameterizationTask* task() { return m_task; }
    /// Samples behind the figures.
    static constexpr std::int64_t kProbeSamples = 8;

private:
    void show(); ///< the selected norm and its switches; figures follow
    void showSwitches();
    void measure();
    void toggle(bool on, bool all);
    /// The norm whose site, or a weight behind it, is selected.
    [[nodiscard]] const NormSite* norm() const;
    [[nodiscard]] std::string siteName(const NormSite& norm) const;

    Workbench m_bench;
    ReparameterizationTask* m_task;
    ReparameterizationView* m_view;
    QTimer m_quiet;
};

} // namespace qs
