#include "core/io/recipe_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const ScratchFolder folder;
    (void)readRecipe(folder.write("input.json", bytes));
}
