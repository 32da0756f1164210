#pragma once

#include "core/io/npy_file.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

#include <string>
#include <vector>

namespace qs::test {

/// Many models, or one on many inputs, in one process of ONNX Runtime (tests/exporting/run_graphs.mjs).
class OnnxRuntimeRuns
{
public:
    /// Inputs are F32 in the order of the model's inputs; the runtime gets them in their types. Returns the
    /// run's number.
    std::size_t add(const std::string& model, const std::vector<Tensor>& inputs)
    {
        const auto index = static_cast<std::size_t>(m_jobs.size());
        QJsonArray files;
        for (const Tensor& input : inputs) {
            const std::string name
                = path(std::to_string(index) + ".in" + std::to_string(files.size()) + ".npy");
            writeNpy(name, input);
            files.append(QString::fromStdString(name));
        }
        m_jobs.append(QJsonObject {{QStringLiteral("model"), QString::fromStdString(model)},
            {QStringLiteral("inputs"), files},
            {QStringLiteral("outputs"), QString::fromStdString(path(std::to_string(index) + ".out"))}});
        return index;
    }
    /// Runs all that was added; false when the process itself failed.
    [[nodiscard]] bool run()
    {
        QFile job(QString::fromStdString(path("job.json")));
        if (!job.open(QIODevice::WriteOnly)) {
            return false;
        }
        job.write(QJsonDocument(m_jobs).toJson());
        job.close();
        QProcess node;
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("QS_NODE_MODULES"), QStringLiteral(QS_NODE_MODULES));
        node.setProcessEnvironment(environment);
        node.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        node.start(QStringLiteral(QS_NODE),
            {QStringLiteral(QS_RUN_GRAPHS), job.fileName(), QString::fromStdString(path("result.json"))});
        QFile result(QString::fromStdString(path("result.json")));
        if (!node.waitForFinished(240'000) || node.exitCode() != 0 || !result.open(QIODevice::ReadOnly)) {
            return false;
        }
        m_errors = QJsonDocument::fromJson(result.readAll()).array();
        return m_errors.size() == m_jobs.size();
    }
    /// What the runtime said of a run it refused; "" for one that went well.
    [[nodiscard]] QString error(std::size_t run) const
    {
        return m_errors[static_cast<qsizetype>(run)].toString();
    }
    /// An output as F32.
    [[nodiscard]] Tensor output(std::size_t run, std::size_t index) const
    {
        return readNpy(path(std::to_string(run) + ".out" + std::to_string(index) + ".npy"));
    }
    /// A file in the folder of the runs.
    [[nodiscard]] std::string path(const std::string& name) const
    {
        return m_folder.path().toStdString() + "/" + name;
    }

private:
    QTemporaryDir m_folder;
    QJsonArray m_jobs;
    QJsonArray m_errors;
};

} // namespace qs::test
