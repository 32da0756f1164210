#pragma once

#include "core/io/data_source.h"
#include "core/io/hdf5_file.h"

#include <functional>
#include <mutex>
#include <vector>

namespace qs {

/// What a model's first input takes: the dimensions of one sample (-1 = free; nothing when unknown) and its
/// type.
struct InputForm
{
    std::string name;
    std::optional<std::vector<std::int64_t>> sampleDims;
    DType dtype = DType::F32;
    std::int64_t classes = 0; ///< last dimension of the first output, 0 = unknown
    std::int64_t vocabulary = 0; ///< token ids are below it; 0 = unknown, or no token ids
    std::int64_t mostTokens = 0; ///< positions the model has; 0 = unknown

    /// Throws Error(Unsupported) for a model without inputs.
    [[nodiscard]] static InputForm of(const Model& model);
    /// True when the shape is [samples, sampleDims...].
    [[nodiscard]] bool accepts(const Shape& shape) const;
    /// "[samples, 3, 224, 224]"
    [[nodiscard]] std::string text() const;
};

/// Samples stored as one array, first axis = sample, already preprocessed: a .npy file, or an array of a .npz
/// or HDF5 file that is named like the model's input or is the only one of a fitting shape; with class
/// indices in an array "labels" where there is one. Floats come as F32; integers as the model's input type;
/// token ids [samples, T] must lie in its vocabulary.
class TensorSource final : public DataSource
{
public:
    /// `context` > 0 cuts samples of token ids to their first so many. Throws Error(Io | CorruptFile |
    /// Unsupported | ShapeMismatch) naming file and shapes.
    [[nodiscard]] static std::shared_ptr<const TensorSource> open(
        const std::filesystem::path& path, const InputForm& form, std::int64_t context = 0);

    [[nodiscard]] std::int64_t size() const override { return m_shape[0]; }
    [[nodiscard]] std::string sampleName(std::int64_t index) const override
    {
        return "#" + std::to_string(index);
    }
    [[nodiscard]] std::optional<int> label(std::int64_t index) const override;
    [[nodiscard]] std::filesystem::path samplePath(std::int64_t) const override { return {}; }
    [[nodiscard]] Tensor load(std::int64_t index) const override;
    [[nodiscard]] std::string hash() const override;
    [[nodiscard]] std::string preparation() const override
    {
        return m_context > 0 ? "context " + std::to_string(m_context) : std::string();
    }

private:
    /// The named arrays of a file, whatever its format.
    struct Arrays
    {
        std::vector<std::string> names;
        std::function<Shape(const std::string&)> shapeOf;
        std::function<Tensor(const std::string&)> read;
    };

    TensorSource(std::filesystem::path path, const InputForm& form, std::int64_t context);
    void openNpy(const InputForm& form);
    void openNpz(const InputForm& form);
    void openHdf5(const InputForm& form);
    [[nodiscard]] std::string choose(const Arrays& arrays, const InputForm& form) const;
    void readLabels(const Arrays& arrays, const InputForm& form);
    void requireFit(const InputForm& form) const;
    void requireTokens(const Tensor& sample, std::int64_t index) const;

    std::filesystem::path m_path;
    DType m_wanted;
    std::int64_t m_vocabulary;
    std::int64_t m_context; ///< tokens kept of each sample; 0 = all
    std::string m_array; ///< name inside the file
    Shape m_shape;
    Tensor m_samples; ///< .npy and .npz
    std::shared_ptr<const Hdf5File> m_file; ///< HDF5, read row by row
    std::vector<int> m_labels; ///< empty where there are none
    mutable std::mutex m_mutex; ///< guards m_hash
    mutable std::string m_hash;
};

} // namespace qs
