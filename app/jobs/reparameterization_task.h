#pragma once

#include "app/jobs/job_runner.h"
#include "app/session/session.h"
#include "core/eval/reparameterization_effect.h"

#include <QObject>
#include <QString>

#include <set>
#include <string>
#include <vector>

namespace qs {

/// Reparameterizes norms of the opened model in the document, or takes that back: one undo step of plan and
/// form. Only while no method has trained constants of the present form: those belong to its
/// reparameterizations.
class ReparameterizationTask : public QObject
{
    Q_OBJECT
public:
    ReparameterizationTask(Session* session, JobRunner* runner, QObject* parent = nullptr);

    /// The norms of the opened model.
    [[nodiscard]] const std::vector<NormSite>& norms();
    /// What the present form does to a site; null: nothing.
    [[nodiscard]] const Reparameterization* change(const std::string& site) const;
    /// The present form holds constants that a method learned.
    [[nodiscard]] bool isTrained() const;

    /// Makes these the reparameterized sites. New ones get the mean of the scales that their plan leads to
    /// per channel (channelQuantizer()); those given up get these scales per channel back, so that their
    /// codes stay what they are.
    void apply(const std::set<std::string>& sites);
    /// Back to the opened model's weights, every reparameterized norm with its clipping bounds per channel,
    /// learned or calibrated, as manual ones, ready to be moved.
    void unfold();

signals:
    void failed(const QString& what, const QString& sentence);

private:
    Session* m_session;
    JobRunner* m_runner;
    std::shared_ptr<const Model> m_normsOf;
    std::vector<NormSite> m_norms;
};

/// What a form's reparameterized norm clips under a plan, per channel and in units of the norm's output
/// before the rewriting (setLearnedBounds()); empty where the site has no single scale.
[[nodiscard]] std::vector<Bounds> formBounds(const ModelForm& form, const Reparameterization& change,
    const Plan& plan, const Calibration& calibration);

} // namespace qs
