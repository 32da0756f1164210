#pragma once

#include "core/models/model.h"
#include "core/tensor/tensor.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace qs {

/// A set of samples for a model's first input, read on demand. Safe to read from several threads at once.
class DataSource
{
public:
    virtual ~DataSource() = default;
    [[nodiscard]] virtual std::int64_t size() const = 0;
    [[nodiscard]] virtual std::string sampleName(std::int64_t index) const = 0; ///< file name, or "#index"
    [[nodiscard]] virtual std::optional<int> label(std::int64_t index) const = 0; ///< class index where known
    /// File to show for the sample (an image); empty where there is none.
    [[nodiscard]] virtual std::filesystem::path samplePath(std::int64_t index) const = 0;
    /// One sample for the model's first input, without the batch dimension, of the input's type (F32, or I64
    /// or I32 token ids). Throws Error naming the file.
    [[nodiscard]] virtual Tensor load(std::int64_t index) const = 0;
    /// SHA-256 over names, labels, file contents and preprocessing, in order.
    [[nodiscard]] virtual std::string hash() const = 0;
    /// How samples are made from the files, for the record ("context 128, tokenizer <SHA-256>"); empty where
    /// the model says it all.
    [[nodiscard]] virtual std::string preparation() const { return {}; }
};

/// How data is made into samples, where the model leaves a choice.
struct DataOptions
{
    std::int64_t context
        = 0; ///< tokens per sample of a language model, or sound samples per recording; 0: default
};

/// What fits the model's first input: folders of images, of 16 kHz WAV recordings or of UTF-8 .txt files
/// (class subfolders, or labels.txt with "file class" lines, or plain), single ones, .npy, .npz or HDF5
/// tensors (also of token ids). Text needs a tokenizer in the model's folder. Throws Error naming the file;
/// no image or recording is decoded yet.
[[nodiscard]] std::shared_ptr<const DataSource> openData(
    const std::filesystem::path& path, const Model& model, const DataOptions& options = {});

/// Samples [first, first + count) as one batch, decoded in parallel.
[[nodiscard]] Tensor loadBatch(const DataSource& data, std::int64_t first, std::int64_t count);

} // namespace qs
