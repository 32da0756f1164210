#include "core/models/onnx_model.h"

#include "core/base/error.h"

namespace qs {

std::shared_ptr<const Model> loadOnnxModel(const std::filesystem::path& path)
{
    throw Error(
        ErrorCode::Unsupported, "'" + path.string() + "' is an ONNX file, which cannot be opened yet");
}

} // namespace qs
