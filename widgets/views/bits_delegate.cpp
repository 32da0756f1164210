#include "widgets/views/bits_delegate.h"

#include "core/quant/quantizer.h"

#include <QSpinBox>

namespace qs {

QWidget* BitsDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem&, const QModelIndex&) const
{
    auto* editor = new QSpinBox(parent);
    editor->setRange(kMinBits, kMaxBits);
    editor->setFrame(false);
    editor->setAccessibleName(tr("Bits"));
    return editor;
}

void BitsDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const
{
    bool isNumber = false;
    const int bits = index.data(Qt::EditRole).toInt(&isNumber);
    static_cast<QSpinBox*>(editor)->setValue(isNumber ? bits : 8);
}

void BitsDelegate::setModelData(QWidget* editor, QAbstractItemModel* model, const QModelIndex& index) const
{
    auto* box = static_cast<QSpinBox*>(editor);
    box->interpretText();
    model->setData(index, box->value(), Qt::EditRole);
}

} // namespace qs
