#include "core/models/onnx_model.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"

#include <array>

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const ScratchFolder folder;
    static const std::array<std::byte, 256> externalData {};
    static const std::filesystem::path external = folder.write("weights.bin", externalData);
    (void)loadOnnxModel(folder.write("input.onnx", bytes));
}
