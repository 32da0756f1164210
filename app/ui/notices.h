#pragma once

#include "widgets/common/message_banner.h"

#include <QObject>

#include <functional>

namespace qs {

/// What the window has to say: one sentence in the banner above the centre, the latest only.
class Notices : public QObject
{
    Q_OBJECT
public:
    explicit Notices(MessageBanner* banner);

    /// Something ended without a result: "Open model: …".
    void fail(const QString& what, const QString& sentence);
    void notice(const QString& sentence);
    void warn(const QString& sentence);
    /// A sentence with a button; pressing it clears the banner and runs `action`.
    void offer(BannerKind kind, const QString& sentence, const QString& button, std::function<void()> action);
    void clear();

private:
    void show(BannerKind kind, const QString& sentence, const QString& button, std::function<void()> action);

    MessageBanner* m_banner;
    std::function<void()> m_action;
};

} // namespace qs
