#include "core/io/safetensors_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const ScratchFolder folder;
    const SafetensorsFile file(folder.write("input.safetensors", bytes));
    for (const SafetensorsEntry& entry : file.entries()) {
        (void)file.tensor(entry.name).toF32();
    }
}
