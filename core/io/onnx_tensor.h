#pragma once

#include "core/tensor/tensor.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace onnx {
class TensorProto;
}

namespace qs {

/// Our element type for a TensorProto data type number, where we have one: integers of 4 and 2 bits become I8 and U8,
/// floats of 8 and 4 bits F32.
[[nodiscard]] std::optional<DType> dtypeFromOnnx(int dataType);
/// The TensorProto data type number of one of ours.
[[nodiscard]] int onnxTypeOf(DType type);
/// "FLOAT", "INT4", … as the ONNX specification spells it, or the number.
[[nodiscard]] std::string onnxTypeName(int dataType);

/// The values of a TensorProto. Raw bytes are moved out of the message, not copied; external data is mapped
/// from a file inside `folder` and nowhere else. Every size is checked against the bytes that are really
/// there before anything is allocated. Throws Error(CorruptFile | Unsupported | Io) naming the tensor.
[[nodiscard]] Tensor tensorFromOnnx(onnx::TensorProto& proto, const std::filesystem::path& folder);
/// Fills a TensorProto with raw little-endian bytes.
void tensorToOnnx(const Tensor& tensor, const std::string& name, onnx::TensorProto& proto);

/// Two 4-bit codes a byte, low nibble first, an odd tail padded with zero (ONNX since IR 10). Codes -8..15.
[[nodiscard]] std::vector<std::uint8_t> packNibbles(std::span<const std::int8_t> codes);
/// Inverse for `count` signed codes -8..7. Throws Error(CorruptFile) when `bytes` is not ceil(count / 2)
/// long.
[[nodiscard]] std::vector<std::int8_t> unpackSignedNibbles(
    std::span<const std::uint8_t> bytes, std::int64_t count);

} // namespace qs
