#include "core/io/wav_file.h"
#include "tests/fuzz/fuzz_target.h"

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    (void)parseWav(bytes, "the input");
}
