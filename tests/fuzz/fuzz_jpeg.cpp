#include "core/io/jpeg_decoder.h"
#include "tests/fuzz/fuzz_target.h"

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    (void)decodeJpeg(bytes, "the input");
}
