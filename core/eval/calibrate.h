#pragma once

#include "core/base/task_context.h"
#include "core/io/data_source.h"
#include "core/models/model.h"
#include "core/runtime/executor.h"
#include "core/stats/site_statistics.h"

#include <filesystem>
#include <memory>
#include <string>

namespace qs {

class Hdf5File;

/// Statistics of every activation site over the first `samples` samples (0 = all) in one pass, batch after
/// batch. The result depends on the samples and their order alone: same bits for any batch size and thread
/// count.
[[nodiscard]] std::shared_ptr<const Calibration> calibrate(std::shared_ptr<const Model> model,
    const DataSource& data, std::int64_t samples, const TaskContext& context = {}, std::int64_t batch = 8);

/// The same with an executor that is kept (its weights are packed already): it must have no transforms.
[[nodiscard]] std::shared_ptr<const Calibration> calibrate(Executor& executor, const DataSource& data,
    std::int64_t samples, const TaskContext& context = {}, std::int64_t batch = 8);

/// Layout: resources/docs/formats.md. Written atomically. Throws Error(Io).
void saveCalibration(const Calibration& calibration, const std::filesystem::path& path);
/// Throws Error(Io | CorruptFile).
[[nodiscard]] std::shared_ptr<const Calibration> loadCalibration(const std::filesystem::path& path);

/// The same as a group ("/calibration") of a larger file that is being written.
void writeCalibration(Hdf5File& file, const std::string& group, const Calibration& calibration);
/// `name` is the file's, for sentences. Throws Error(CorruptFile).
[[nodiscard]] std::shared_ptr<const Calibration> readCalibration(
    const Hdf5File& file, const std::string& group, const std::string& name);

} // namespace qs
