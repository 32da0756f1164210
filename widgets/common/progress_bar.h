#pragma once

#include <QProgressBar>

namespace qs {

/// A progress bar that waits its turn: Qt's paints itself at once, and with it all else that has changed in
/// the window, before it returns.
class ProgressBar : public QProgressBar
{
    Q_OBJECT
public:
    using QProgressBar::QProgressBar;

    /// maximum 0: busy.
    void setProgress(int value, int maximum);
};

} // namespace qs
