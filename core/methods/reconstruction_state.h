#pragma once

#include "core/methods/block_reconstruction.h"

#include <filesystem>
#include <string>

namespace qs {

/// The file in which a block reconstruction keeps its finished blocks and where the training of all blocks
/// together stands. Written atomically after each block and at checkpoints, read when the same reconstruction
/// starts again. Layout: formats.md, "Training state".
class ReconstructionState
{
public:
    /// path empty: load() gives nothing and save() does nothing.
    ReconstructionState(std::filesystem::path path, const Model& model, const std::string& identity,
        const BlockReconstructionOptions& options);

    /// Nothing done when there is no file. quantizers: where the run starts, for what the file does not say.
    /// Throws Error(Io | CorruptFile), Error(InvalidArgument) when the file is another run's.
    [[nodiscard]] BlockResults load(const ResolvedPlan& quantizers) const;
    /// Throws Error(Io).
    void save(const BlockResults& results) const;

private:
    std::filesystem::path m_path;
    std::string m_run;
};

} // namespace qs
