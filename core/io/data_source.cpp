#include "core/io/data_source.h"

#include "core/base/error.h"
#include "core/base/parallel.h"
#include "core/io/image_decoder.h"
#include "core/io/image_folder_source.h"
#include "core/io/tensor_source.h"

#include <cstring>

namespace qs {

namespace {

const Preprocessing& imagePreprocessing(
    const std::filesystem::path& path, const Model& model, const InputForm& form)
{
    if (!model.preprocessing) {
        throw Error(ErrorCode::Unsupported,
            "'" + path.string() + "' holds pictures, but the model '" + model.name
                + "' does not say how its input is made from pictures");
    }
    const Shape made {1, 3, model.preprocessing->height, model.preprocessing->width};
    if (!form.accepts(made)) {
        throw Error(ErrorCode::ShapeMismatch,
            "pictures become " + made.text() + "; the model's input '" + form.name + "' takes "
                + form.text());
    }
    return *model.preprocessing;
}

} // namespace

std::shared_ptr<const DataSource> openData(const std::filesystem::path& path, const Model& model)
{
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        throw Error(ErrorCode::Io, "'" + path.string() + "' does not exist");
    }
    const InputForm form = InputForm::of(model);
    if (std::filesystem::is_directory(status)) {
        const Preprocessing& preprocessing = imagePreprocessing(path, model, form);
        return std::make_shared<ImageFolderSource>(listImages(path, form.classes), preprocessing);
    }
    const std::string extension = path.extension().string();
    if (extension == ".npy" || extension == ".npz" || extension == ".h5" || extension == ".hdf5") {
        return TensorSource::open(path, form);
    }
    if (hasImageExtension(path)) {
        const Preprocessing& preprocessing = imagePreprocessing(path, model, form);
        std::vector<ImageEntry> single {
            {.file = path, .name = path.filename().string(), .label = std::nullopt}};
        return std::make_shared<ImageFolderSource>(std::move(single), preprocessing);
    }
    throw Error(ErrorCode::Unsupported,
        "'" + path.string()
            + "' is not data: a folder of pictures, a .jpg, .png, .npy, .npz or .h5 file is read");
}

Tensor loadBatch(const DataSource& data, std::int64_t first, std::int64_t count)
{
    if (first < 0 || count < 1 || first > data.size() - count) {
        throw Error(ErrorCode::InvalidArgument,
            "there are no samples " + std::to_string(first) + " to " + std::to_string(first + count - 1)
                + " among " + std::to_string(data.size()));
    }
    const Tensor head = data.load(first);
    std::vector<std::int64_t> dims {count};
    dims.insert(dims.end(), head.shape().dims().begin(), head.shape().dims().end());
    Tensor batch(head.dtype(), Shape(std::move(dims)));
    auto* target = const_cast<std::byte*>(batch.bytes()); // freshly made here, not shared yet
    std::memcpy(target, head.bytes(), head.byteCount());
    parallelFor(count - 1, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin + 1; i < end + 1; ++i) {
            const Tensor sample = data.load(first + i);
            if (sample.shape() != head.shape() || sample.dtype() != head.dtype()) {
                throw Error(ErrorCode::ShapeMismatch,
                    "sample '" + data.sampleName(first + i) + "' has shape " + sample.shape().text()
                        + ", others " + head.shape().text());
            }
            std::memcpy(
                target + static_cast<std::size_t>(i) * head.byteCount(), sample.bytes(), sample.byteCount());
        }
    });
    return batch;
}

} // namespace qs
