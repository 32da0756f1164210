#include "app/ui/demo.h"

#include <QCoreApplication>
#include <QFileInfo>

namespace qs {

QString demoFolder()
{
    const QString installed
        = QCoreApplication::applicationDirPath() + QStringLiteral("/../share/quantoscope/demo");
    for (const QString& folder : {installed, QStringLiteral(QS_SOURCE_DEMO)}) {
        if (QFileInfo::exists(folder + QStringLiteral("/model.safetensors"))) {
            return QFileInfo(folder).canonicalFilePath();
        }
    }
    return {};
}

} // namespace qs
