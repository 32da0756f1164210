#include "core/io/npy_file.h"
#include "tests/fuzz/fuzz_target.h"

#include <memory>

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    (void)parseNpy(bytes, std::make_shared<int>(), "the input").toF32();
}
