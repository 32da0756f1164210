#include "app/session/change_choices_command.h"

namespace qs {

ChangeChoicesCommand::ChangeChoicesCommand(
    Session* session, Choices before, Choices after, const QString& text, int gesture)
    : QUndoCommand(text)
    , m_session(session)
    , m_before(std::move(before))
    , m_after(std::move(after))
    , m_gesture(gesture)
{
}

void ChangeChoicesCommand::undo()
{
    m_session->apply(m_before);
}

void ChangeChoicesCommand::redo()
{
    m_session->apply(m_after);
}

int ChangeChoicesCommand::id() const
{
    return m_gesture == 0 ? -1 : static_cast<int>(UndoId::ChangeChoices);
}

bool ChangeChoicesCommand::mergeWith(const QUndoCommand* other)
{
    const auto* next
        = static_cast<const ChangeChoicesCommand*>(other); // the same id() is only ever this class
    if (next->m_gesture != m_gesture) {
        return false;
    }
    for (const auto& [site, choice] : next->m_after) {
        m_before.try_emplace(
            site, next->m_before.at(site)); // the first state a gesture saw is where undo leads
        m_after[site] = choice;
    }
    setObsolete(m_before == m_after);
    return true;
}

ChangeChoicesCommand* ChangeChoicesCommand::inverse() const
{
    return new ChangeChoicesCommand(m_session, m_after, m_before, text(), m_gesture);
}

} // namespace qs
