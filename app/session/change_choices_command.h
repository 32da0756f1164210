#pragma once

#include "app/session/session.h"

#include <QUndoCommand>

namespace qs {

/// Values of QUndoCommand::id(), one per kind of mergeable command.
enum class UndoId { ChangeChoices = 1 };

/// Sets the choices of one or more sites. Sites are kept by name, choices by value; nullopt is "not in the
/// plan".
class ChangeChoicesCommand : public QUndoCommand
{
public:
    using Choices = std::map<std::string, std::optional<SiteChoice>>;

    ChangeChoicesCommand(Session* session, Choices before, Choices after, const QString& text, int gesture);

    void undo() override;
    void redo() override;
    [[nodiscard]] int id() const override;
    bool mergeWith(const QUndoCommand* other) override;

    [[nodiscard]] int gesture() const { return m_gesture; }
    /// A command of the same gesture that leads back to where this one began; the caller owns it.
    [[nodiscard]] ChangeChoicesCommand* inverse() const;

private:
    Session* m_session;
    Choices m_before;
    Choices m_after;
    int m_gesture; ///< 0: never merges
};

} // namespace qs
