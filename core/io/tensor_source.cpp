#include "core/io/tensor_source.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/io/npy_file.h"
#include "core/io/npz_file.h"
#include "core/models/model_task.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace qs {

namespace {

constexpr const char* kLabels = "labels";

template<typename From, typename To>
void convertValues(const Tensor& source, std::span<To> target)
{
    for (std::size_t i = 0; i < target.size(); ++i) {
        From value {};
        std::memcpy(&value, source.bytes() + i * sizeof(From), sizeof(From));
        target[i] = static_cast<To>(value);
    }
}

template<typename To>
Tensor toInteger(const Tensor& source, const std::string& name)
{
    Tensor result(DTypeOf<To>::value, source.shape());
    const std::span<To> target = result.mutableData<To>();
    switch (source.dtype()) {
    case DType::I8: convertValues<std::int8_t>(source, target); break;
    case DType::U8: convertValues<std::uint8_t>(source, target); break;
    case DType::I16: convertValues<std::int16_t>(source, target); break;
    case DType::U16: convertValues<std::uint16_t>(source, target); break;
    case DType::I32: convertValues<std::int32_t>(source, target); break;
    case DType::U32: convertValues<std::uint32_t>(source, target); break;
    case DType::I64: convertValues<std::int64_t>(source, target); break;
    default:
        throw Error(ErrorCode::ShapeMismatch,
            name + " holds " + std::string(nameOf(source.dtype())) + ", the model's input takes integers");
    }
    return result;
}

Tensor converted(const Tensor& source, DType wanted, const std::string& name)
{
    if (source.dtype() == wanted) {
        return source;
    }
    switch (wanted) {
    case DType::I64: return toInteger<std::int64_t>(source, name);
    case DType::I32: return toInteger<std::int32_t>(source, name);
    default: return source.toF32();
    }
}

std::string listed(const std::vector<std::string>& names)
{
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 8); ++i) {
        text += (i == 0 ? "" : ", ") + names[i].substr(0, 80);
    }
    return text + (names.size() > 8 ? ", …" : "");
}

} // namespace

InputForm InputForm::of(const Model& model)
{
    if (!model.graph || model.graph->inputs().empty()) {
        throw Error(ErrorCode::Unsupported, "the model '" + model.name + "' has no input to feed");
    }
    const Value& input = model.graph->value(model.graph->inputs().front());
    InputForm form;
    form.name = input.name;
    const bool integers = input.dtype == DType::I64 || input.dtype == DType::I32;
    form.dtype = integers ? input.dtype : DType::F32;
    form.vocabulary = vocabularyOf(*model.graph).value_or(0);
    form.mostTokens = integers ? mostTokensOf(model) : 0;
    if (input.dimsKnown && !input.dims.empty()) {
        form.sampleDims = std::vector<std::int64_t>(input.dims.begin() + 1, input.dims.end());
    }
    if (!model.graph->outputs().empty()) {
        const Value& output = model.graph->value(model.graph->outputs().front());
        if (output.dimsKnown && output.dims.size() == 2) {
            form.classes = std::max<std::int64_t>(0, output.dims.back());
        }
    }
    return form;
}

bool InputForm::accepts(const Shape& shape) const
{
    if (shape.rank() == 0) {
        return false;
    }
    if (!sampleDims) {
        return true;
    }
    if (shape.rank() != sampleDims->size() + 1) {
        return false;
    }
    for (std::size_t axis = 0; axis < sampleDims->size(); ++axis) {
        if ((*sampleDims)[axis] >= 0 && (*sampleDims)[axis] != shape[axis + 1]) {
            return false;
        }
    }
    return true;
}

std::string InputForm::text() const
{
    std::string result = "[samples";
    for (const std::int64_t dim : sampleDims.value_or(std::vector<std::int64_t> {})) {
        result += ", " + (dim < 0 ? std::string("any") : std::to_string(dim));
    }
    return result + (sampleDims ? "]" : ", …]");
}

std::shared_ptr<const TensorSource> TensorSource::open(
    const std::filesystem::path& path, const InputForm& form, std::int64_t context)
{
    const std::shared_ptr<TensorSource> source(new TensorSource(path, form, context));
    const std::string extension = path.extension().string();
    if (extension == ".npy") {
        source->openNpy(form);
    } else if (extension == ".npz") {
        source->openNpz(form);
    } else {
        source->openHdf5(form);
    }
    return source;
}

TensorSource::TensorSource(std::filesystem::path path, const InputForm& form, std::int64_t context)
    : m_path(std::move(path))
    , m_wanted(form.dtype)
    , m_vocabulary(form.vocabulary)
    , m_context(context)
{
}

void TensorSource::openNpy(const InputForm& form)
{
    m_samples = readNpy(m_path);
    m_shape = m_samples.shape();
    requireFit(form);
}

void TensorSource::openNpz(const InputForm& form)
{
    const NpzFile file = NpzFile::open(m_path);
    const Arrays arrays {.names = file.names(),
        .shapeOf = [&](const std::string& name) { return file.read(name).shape(); },
        .read = [&](const std::string& name) { return file.read(name); }};
    m_array = choose(arrays, form);
    m_samples = file.read(m_array);
    m_shape = m_samples.shape();
    requireFit(form);
    readLabels(arrays, form);
}

void TensorSource::openHdf5(const InputForm& form)
{
    const auto file = std::make_shared<const Hdf5File>(Hdf5File::openForReading(m_path));
    Arrays arrays {.names = {},
        .shapeOf = [&](const std::string& name) { return file->shapeOf("/" + name); },
        .read = [&](const std::string& name) { return file->readTensor("/" + name); }};
    for (const std::string& name : file->children("/")) {
        if (file->isDataset("/" + name)) {
            arrays.names.push_back(name);
        }
    }
    m_array = choose(arrays, form);
    m_shape = file->shapeOf("/" + m_array);
    m_file = file;
    requireFit(form);
    readLabels(arrays, form);
}

std::string TensorSource::choose(const Arrays& arrays, const InputForm& form) const
{
    if (std::find(arrays.names.begin(), arrays.names.end(), form.name) != arrays.names.end()) {
        return form.name;
    }
    std::vector<std::string> fitting;
    for (const std::string& name : arrays.names) {
        if (name != kLabels && form.accepts(arrays.shapeOf(name))) {
            fitting.push_back(name);
        }
    }
    if (fitting.size() == 1) {
        return fitting.front();
    }
    throw Error(ErrorCode::ShapeMismatch,
        "'" + m_path.string() + "' has no array '" + form.name + "' and "
            + (fitting.empty() ? "none of shape " + form.text() + " (it has: " + listed(arrays.names) + ")"
                               : "several of shape " + form.text() + ": " + listed(fitting)));
}

void TensorSource::readLabels(const Arrays& arrays, const InputForm& form)
{
    if (std::find(arrays.names.begin(), arrays.names.end(), kLabels) == arrays.names.end()) {
        return;
    }
    const Tensor labels = arrays.read(kLabels);
    if (labels.shape() != Shape {m_shape[0]}) {
        throw Error(ErrorCode::ShapeMismatch,
            "'" + m_path.string() + "' has labels of shape " + labels.shape().text() + " for "
                + std::to_string(m_shape[0]) + " samples");
    }
    const Tensor numbers = labels.toF32(); // exact below 2^24
    for (const float number : numbers.data<float>()) {
        const bool whole = number >= 0 && number < 0x1p24F && number == std::trunc(number);
        if (!whole || (form.classes > 0 && number >= static_cast<float>(form.classes))) {
            throw Error(ErrorCode::CorruptFile,
                "'" + m_path.string() + "' has the label " + std::to_string(number) + " for sample "
                    + std::to_string(m_labels.size())
                    + (form.classes > 0 ? " of a model with " + std::to_string(form.classes) + " classes"
                                        : ""));
        }
        m_labels.push_back(static_cast<int>(number));
    }
}

void TensorSource::requireFit(const InputForm& form) const
{
    const std::string name
        = "'" + m_path.string() + "'" + (m_array.empty() ? "" : ", array '" + m_array + "',");
    if (!form.accepts(m_shape)) {
        throw Error(ErrorCode::ShapeMismatch,
            name + " has shape " + m_shape.text() + "; the model's input '" + form.name + "' takes "
                + form.text());
    }
    const std::int64_t length = m_shape.rank() == 2 ? m_shape[1] : 0;
    const std::int64_t used = m_context > 0 ? std::min(m_context, length) : length;
    if (form.mostTokens > 0 && used > form.mostTokens) {
        throw Error(ErrorCode::ShapeMismatch,
            name + " has samples of " + std::to_string(used) + " tokens, the model takes at most "
                + std::to_string(form.mostTokens));
    }
    if (m_shape.elementCount() == 0) {
        throw Error(ErrorCode::CorruptFile, name + " of shape " + m_shape.text() + " holds no values");
    }
}

std::optional<int> TensorSource::label(std::int64_t index) const
{
    return m_labels.empty() ? std::nullopt : std::optional(m_labels.at(static_cast<std::size_t>(index)));
}

Tensor TensorSource::load(std::int64_t index) const
{
    const std::string name = "'" + m_path.string() + "'";
    if (index < 0 || index >= size()) {
        throw Error(ErrorCode::InvalidArgument,
            name + " has no sample " + std::to_string(index) + " among " + std::to_string(size()));
    }
    Shape sample(std::vector<std::int64_t>(m_shape.dims().begin() + 1, m_shape.dims().end()));
    Tensor result;
    if (m_file) {
        const Tensor row = m_file->readRows("/" + m_array, index, 1);
        result = converted(row.reshaped(std::move(sample)), m_wanted, name);
    } else {
        const std::size_t bytes = static_cast<std::size_t>(sample.elementCount()) * sizeOf(m_samples.dtype());
        const std::span<const std::byte> row(
            m_samples.bytes() + static_cast<std::size_t>(index) * bytes, bytes);
        const Tensor view(m_samples.dtype(), std::move(sample), std::make_shared<Tensor>(m_samples), row);
        result = converted(view, m_wanted, name);
    }
    if (m_vocabulary > 0) {
        if (m_context > 0 && result.shape().rank() == 1 && result.shape()[0] > m_context) {
            const std::size_t bytes = static_cast<std::size_t>(m_context) * sizeOf(result.dtype());
            result = Tensor(result.dtype(), Shape {m_context}, std::make_shared<Tensor>(result),
                std::span(result.bytes(), bytes));
        }
        requireTokens(result, index);
    }
    return result;
}

void TensorSource::requireTokens(const Tensor& sample, std::int64_t index) const
{
    for (std::int64_t i = 0; i < sample.elementCount(); ++i) {
        const auto place = static_cast<std::size_t>(i);
        const std::int64_t id = sample.dtype() == DType::I64 ? sample.data<std::int64_t>()[place]
                                                             : sample.data<std::int32_t>()[place];
        if (id < 0 || id >= m_vocabulary) {
            throw Error(ErrorCode::CorruptFile,
                "'" + m_path.string() + "' has the token " + std::to_string(id) + " at place "
                    + std::to_string(i) + " of sample " + std::to_string(index) + "; the model knows 0 to "
                    + std::to_string(m_vocabulary - 1));
        }
    }
}

std::string TensorSource::hash() const
{
    const std::lock_guard lock(m_mutex);
    if (m_hash.empty()) {
        const std::string cut = preparation();
        const std::string text = cut + (cut.empty() ? "" : "\n") + m_array + "\n"
            + sha256OfFile(m_path); // labels lie in the file
        m_hash = sha256(std::as_bytes(std::span(text.data(), text.size())));
    }
    return m_hash;
}

} // namespace qs
