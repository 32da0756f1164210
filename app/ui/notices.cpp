#include "app/ui/notices.h"

namespace qs {

Notices::Notices(MessageBanner* banner)
    : QObject(banner)
    , m_banner(banner)
{
    connect(banner, &MessageBanner::actionTriggered, this, [this] {
        const auto action = m_action; // it may show the next message
        clear();
        if (action) {
            action();
        }
    });
}

void Notices::fail(const QString& what, const QString& sentence)
{
    show(BannerKind::Failure, tr("%1: %2").arg(what, sentence), {}, {});
}

void Notices::notice(const QString& sentence)
{
    show(BannerKind::Notice, sentence, {}, {});
}

void Notices::warn(const QString& sentence)
{
    show(BannerKind::Warning, sentence, {}, {});
}

void Notices::offer(
    BannerKind kind, const QString& sentence, const QString& button, std::function<void()> action)
{
    show(kind, sentence, button, std::move(action));
}

void Notices::clear()
{
    m_action = {};
    m_banner->clear();
}

void Notices::show(
    BannerKind kind, const QString& sentence, const QString& button, std::function<void()> action)
{
    m_action = std::move(action);
    m_banner->showMessage(kind, sentence, button);
}

} // namespace qs
