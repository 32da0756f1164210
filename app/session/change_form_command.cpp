#include "app/session/change_form_command.h"

namespace qs {

ChangeFormCommand::ChangeFormCommand(Session* session, State before, State after, const QString& text)
    : QUndoCommand(text)
    , m_session(session)
    , m_before(std::move(before))
    , m_after(std::move(after))
{
}

void ChangeFormCommand::undo()
{
    m_session->apply(m_before.plan, m_before.form);
}

void ChangeFormCommand::redo()
{
    m_session->apply(m_after.plan, m_after.form);
}

} // namespace qs
