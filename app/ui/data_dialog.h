#pragma once

#include "core/io/data_source.h"
#include "core/io/tensor_source.h"

#include <QDialog>

class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace qs {

/// Asks for data that fits a model: a folder or a file, and how much of a text or a recording makes a sample
/// where the model leaves that open.
class DataDialog : public QDialog
{
    Q_OBJECT
public:
    /// A path and options to start from.
    DataDialog(const QString& title, const Model& model, const QString& path, const DataOptions& options,
        QWidget* parent = nullptr);

    [[nodiscard]] QString path() const; ///< absolute
    [[nodiscard]] DataOptions options() const;

private:
    [[nodiscard]] QLayout* buildPath();
    void chooseFolder();
    void chooseFile();
    void checkPath();

    InputForm m_form;
    QLineEdit* m_path;
    QLabel* m_finding;
    QSpinBox* m_context; ///< null: the model leaves nothing open
    QPushButton* m_open;
};

} // namespace qs
