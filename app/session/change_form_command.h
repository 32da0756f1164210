#pragma once

#include "app/session/session.h"

#include <QUndoCommand>

namespace qs {

/// Replaces the whole plan together with the form of the model that it is for.
class ChangeFormCommand : public QUndoCommand
{
public:
    struct State
    {
        Plan plan;
        std::shared_ptr<const ModelForm> form; ///< null: the model as it was opened
    };

    ChangeFormCommand(Session* session, State before, State after, const QString& text);

    void undo() override;
    void redo() override;

private:
    Session* m_session;
    State m_before;
    State m_after;
};

} // namespace qs
