#include "widgets/common/progress_bar.h"

namespace qs {

void ProgressBar::setProgress(int value, int maximum)
{
    if (value == this->value() && maximum == this->maximum()) {
        return;
    }
    setUpdatesEnabled(false);
    setRange(0, maximum);
    setValue(value);
    setUpdatesEnabled(true); // asks to be painted with the next frame
}

} // namespace qs
