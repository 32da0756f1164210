#include "core/models/checkpoint.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/scratch_folder.h"

namespace {

/// A folder with two sound shards; their index is the input.
class Shards
{
public:
    Shards()
    {
        const std::filesystem::path seeds = QS_FUZZ_CORPUS "/safetensors";
        std::filesystem::copy_file(seeds / "types", m_folder.path() / "a.safetensors");
        std::filesystem::copy_file(seeds / "metadata", m_folder.path() / "b.safetensors");
    }

    void read(std::span<const std::byte> index) const
    {
        m_folder.write("model.safetensors.index.json", index);
        const qs::Checkpoint checkpoint(m_folder.path());
        (void)checkpoint.hash();
        checkpoint.checkLeftovers({});
    }

private:
    qs::fuzz::ScratchFolder m_folder;
};

} // namespace

void qs::fuzz::readHostileFile(std::span<const std::byte> bytes)
{
    static const Shards shards;
    shards.read(bytes);
}
