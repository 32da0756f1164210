#include "core/io/npz_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const ScratchFolder folder;
    const NpzFile file = NpzFile::open(folder.write("input.npz", bytes));
    for (const std::string& name : file.names()) {
        (void)file.read(name).toF32();
    }
}
