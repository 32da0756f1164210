#pragma once

#include "core/io/safetensors_file.h"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// The weights of a model directory: model.safetensors, or the shards that model.safetensors.index.json
/// lists. Hands out tensors by name with the shape they must have, as views of the mapped files, and
/// remembers which were used.
class Checkpoint
{
public:
    /// Maps the files and checks their headers; of a sharded checkpoint also that every shard lies in the
    /// directory and holds exactly the tensors the index gives it. Throws Error: Io, CorruptFile,
    /// Unsupported; the sentence names file and tensor.
    explicit Checkpoint(const std::filesystem::path& directory);

    [[nodiscard]] bool has(std::string_view name) const { return m_fileOf.contains(name); }
    /// Whether a tensor's name begins so.
    [[nodiscard]] bool hasAny(std::string_view prefix) const;
    /// The first of `prefixes` with which `probe` exists, else the first of them.
    [[nodiscard]] std::string prefixOf(
        const std::vector<std::string>& prefixes, const std::string& probe) const;
    /// Shape of a tensor that must exist with this rank and not be empty. Throws Error(CorruptFile).
    [[nodiscard]] const Shape& shapeOf(const std::string& name, std::size_t rank) const;
    /// Throws Error(CorruptFile) when it is missing, of another shape, or not F32, F16 or BF16.
    [[nodiscard]] Tensor take(const std::string& name, const Shape& shape);

    /// What tensors that were not taken mean.
    struct Leftovers
    {
        /// A tensor whose name begins so would change what the network computes.
        std::vector<std::string> decisive;
        /// A name that ends so is a table the network makes itself (masks, position numbers).
        std::vector<std::string> tables;
    };
    /// Warns of every tensor that was not taken and is no table; throws Error(Unsupported) for a decisive
    /// one.
    void checkLeftovers(const Leftovers& meaning) const;

    /// The file of a tensor, or the one that lists or holds them all: for sentences.
    [[nodiscard]] std::string fileOf(std::string_view name) const;
    /// SHA-256 of model.safetensors; of a sharded checkpoint that of its shards' SHA-256s in order of their
    /// names.
    [[nodiscard]] std::string hash() const;

private:
    void openShards(const std::filesystem::path& index);
    [[nodiscard]] const SafetensorsEntry* find(std::string_view name) const;

    std::filesystem::path m_listing; ///< model.safetensors or the index
    std::vector<SafetensorsFile> m_files; ///< ascending by file name
    std::map<std::string, std::size_t, std::less<>> m_fileOf; ///< tensor name to index into m_files
    std::set<std::string, std::less<>> m_taken;
};

} // namespace qs
