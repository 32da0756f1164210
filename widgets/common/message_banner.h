#pragma once

#include <QFrame>

class QLabel;
class QPushButton;
class QToolButton;

namespace qs {

enum class BannerKind { Notice, Warning, Failure };

/// A message above the content that blocks nothing: icon, one sentence, an optional action and a close
/// button. Hidden until shown; a new message replaces the old one.
class MessageBanner : public QFrame
{
    Q_OBJECT
public:
    explicit MessageBanner(QWidget* parent = nullptr);

    /// Shows the sentence; with an empty actionText there is no action button.
    void showMessage(BannerKind kind, const QString& text, const QString& actionText = {});
    /// Hides it, silently.
    void clear();
    [[nodiscard]] QString text() const;
    [[nodiscard]] BannerKind kind() const { return m_kind; }

signals:
    void actionTriggered(); ///< the banner stays until cleared or closed
    void closed(); ///< by the user

protected:
    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    void restyle();
    void closeByUser();

    BannerKind m_kind = BannerKind::Notice;
    QLabel* m_icon;
    QLabel* m_text;
    QPushButton* m_action;
    QToolButton* m_close;
};

} // namespace qs
