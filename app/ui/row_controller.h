#pragma once

#include "app/ui/workbench.h"

#include <QObject>
#include <QStringList>

namespace qs {

/// The views that list all sites, the tree and the sheet of bits: fills them, takes the selection and the
/// edits from them.
class RowController : public QObject
{
    Q_OBJECT
public:
    explicit RowController(const Workbench& bench);

private:
    void showRows(); ///< all of them
    void showChanged(const QStringList& sites);
    void showSelection();
    void wireEdits();

    const Workbench m_bench;
};

} // namespace qs
