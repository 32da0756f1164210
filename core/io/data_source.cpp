#include "core/io/data_source.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/parallel.h"
#include "core/io/audio_source.h"
#include "core/io/image_decoder.h"
#include "core/io/image_folder_source.h"
#include "core/io/tensor_source.h"
#include "core/io/text_source.h"
#include "core/models/model_task.h"

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

/// Shape of one sample when the model's input is sound: [length] or [1, length]. Nothing when it is not.
std::optional<Shape> soundShape(const InputForm& form, const DataOptions& options)
{
    if (form.dtype != DType::F32 || !form.sampleDims) {
        return std::nullopt;
    }
    std::vector<std::int64_t> dims = *form.sampleDims;
    const bool oneChannel = dims.size() == 2 && dims[0] == 1;
    if (dims.size() != 1 && !oneChannel) {
        return std::nullopt;
    }
    constexpr std::int64_t kOneSecond = 16000;
    if (dims.back() < 0) {
        dims.back() = options.context > 0 ? options.context : kOneSecond;
    }
    return Shape(std::move(dims));
}

bool isWav(const std::filesystem::path& path)
{
    return lowerExtension(path) == ".wav";
}

bool isText(const std::filesystem::path& path)
{
    return lowerExtension(path) == ".txt";
}

/// Tokens per sample of text.
std::int64_t contextOf(const InputForm& form, const DataOptions& options)
{
    constexpr std::int64_t kDefault = 512;
    const std::int64_t fixed
        = form.sampleDims && form.sampleDims->size() == 1 ? form.sampleDims->front() : -1;
    const std::int64_t most = fixed > 0 ? fixed : form.mostTokens;
    const std::int64_t context = options.context > 0 ? options.context
        : fixed > 0                                  ? fixed
        : most > 0                                   ? std::min(most, kDefault)
                                                     : kDefault;
    if ((fixed > 0 && context != fixed) || (most > 0 && context > most)) {
        throw Error(ErrorCode::InvalidArgument,
            "a context of " + std::to_string(context) + " tokens does not fit: the model takes "
                + (fixed > 0 ? "" : "at most ") + std::to_string(most));
    }
    return context;
}

std::shared_ptr<const DataSource> openText(
    std::vector<SampleEntry> files, const Model& model, const InputForm& form, const DataOptions& options)
{
    const std::shared_ptr<const Tokenizer> tokenizer = Tokenizer::open(folderOf(model));
    if (!tokenizer) {
        throw Error(ErrorCode::Unsupported,
            "text needs a tokenizer.json (or vocab.json and merges.txt, or vocab.txt) beside the model '"
                + model.path.string() + "'; token ids are read from .npy, .npz and .h5 files");
    }
    return std::make_shared<TextSource>(
        std::move(files), tokenizer, form.dtype, contextOf(form, options), form.vocabulary);
}

std::shared_ptr<const DataSource> openFolder(
    const std::filesystem::path& path, const Model& model, const InputForm& form, const DataOptions& options)
{
    if (form.dtype != DType::F32) {
        const ListingRules rules {
            .accepts = isText, .what = "texts (.txt)", .classes = form.classes, .classNames = {}};
        return openText(listSamples(path, rules), model, form, options);
    }
    if (const auto shape = soundShape(form, options)) {
        const ListingRules rules {.accepts = isWav,
            .what = "WAV recordings",
            .classes = form.classes,
            .classNames = classNamesOf(model, form.classes)};
        return std::make_shared<AudioSource>(listSamples(path, rules), *shape);
    }
    const Preprocessing& preprocessing = imagePreprocessing(path, model, form);
    const ListingRules rules {.accepts = hasImageExtension,
        .what = "JPEG or PNG pictures",
        .classes = form.classes,
        .classNames = {}};
    return std::make_shared<ImageFolderSource>(listSamples(path, rules), preprocessing);
}

/// Copies a sample's values; those of a mapped file need not stay in memory behind that.
void copySample(const Tensor& sample, std::byte* target)
{
    std::memcpy(target, sample.bytes(), sample.byteCount());
    MappedFile::release({sample.bytes(), sample.byteCount()});
}

} // namespace

std::shared_ptr<const DataSource> openData(
    const std::filesystem::path& path, const Model& model, const DataOptions& options)
{
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
        throw Error(ErrorCode::Io, "'" + path.string() + "' does not exist");
    }
    const InputForm form = InputForm::of(model);
    if (std::filesystem::is_directory(status)) {
        return openFolder(path, model, form, options);
    }
    const std::string extension = path.extension().string();
    if (extension == ".npy" || extension == ".npz" || extension == ".h5" || extension == ".hdf5") {
        return TensorSource::open(path, form, options.context);
    }
    const std::vector<SampleEntry> single {
        {.file = path, .name = path.filename().string(), .label = std::nullopt}};
    if (hasImageExtension(path)) {
        return std::make_shared<ImageFolderSource>(single, imagePreprocessing(path, model, form));
    }
    if (isText(path) && form.dtype != DType::F32) {
        return openText(single, model, form, options);
    }
    if (isWav(path)) {
        if (const auto shape = soundShape(form, options)) {
            return std::make_shared<AudioSource>(single, *shape);
        }
        throw Error(ErrorCode::ShapeMismatch,
            "'" + path.string() + "' is sound; the model's input '" + form.name + "' takes " + form.text());
    }
    throw Error(ErrorCode::Unsupported,
        "'" + path.string()
            + "' is not data: a folder of pictures, recordings or texts, a .jpg, .png, .wav, .txt, .npy, "
              ".npz or .h5 file "
              "is "
              "read");
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
    copySample(head, target);
    parallelFor(count - 1, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin + 1; i < end + 1; ++i) {
            const Tensor sample = data.load(first + i);
            if (sample.shape() != head.shape() || sample.dtype() != head.dtype()) {
                throw Error(ErrorCode::ShapeMismatch,
                    "sample '" + data.sampleName(first + i) + "' has shape " + sample.shape().text()
                        + ", others " + head.shape().text());
            }
            copySample(sample, target + static_cast<std::size_t>(i) * head.byteCount());
        }
    });
    return batch;
}

} // namespace qs
