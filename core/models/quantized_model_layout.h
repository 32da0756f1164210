#pragma once

#include <cstdint>
#include <string>

namespace qs {

/// Names inside our quantized model file; resources/docs/formats.md, "Quantized model (.h5)", is their
/// description.
namespace quantized_model_layout {

inline constexpr const char* kFormat = "quantoscope-model";
inline constexpr std::int64_t kVersion = 1;

} // namespace quantized_model_layout

/// A value or site name as one link name: '%' and '/' become "%25" and "%2F", a name of dots alone starts
/// with "%2E".
[[nodiscard]] std::string hdf5LinkName(const std::string& name);

} // namespace qs
