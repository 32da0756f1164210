#pragma once

#include <QTemporaryDir>

#include <filesystem>
#include <string>

namespace qs::test {

/// Empty folders for files that tests write, removed with this object.
class FreshFolders
{
public:
    [[nodiscard]] std::filesystem::path next()
    {
        const std::filesystem::path path
            = std::filesystem::path(m_folder.path().toStdString()) / std::to_string(m_serial++);
        std::filesystem::create_directory(path);
        return path;
    }

private:
    QTemporaryDir m_folder;
    int m_serial = 0;
};

} // namespace qs::test
