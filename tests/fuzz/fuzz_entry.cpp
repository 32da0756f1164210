#include "core/base/error.h"
#include "core/base/parallel.h"
#include "tests/fuzz/fuzz_target.h"

#include <cstdint>
#include <cstdio>
#include <cstdlib>

/// What libFuzzer and the replaying driver call. An input may be read or be refused with a sentence; a
/// refusal for want of memory or as our own defect is a finding like a crash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    try {
        qs::fuzz::readHostileFile({reinterpret_cast<const std::byte*>(data), size});
    } catch (const qs::Error& error) {
        if (error.code() == qs::ErrorCode::OutOfMemory || error.code() == qs::ErrorCode::Internal) {
            std::fprintf(stderr, "finding: %s\n", error.what());
            std::abort();
        }
    }
    return 0;
}

extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/)
{
    qs::setThreadCount(1); // small inputs: threads would only cost time
    return 0;
}
