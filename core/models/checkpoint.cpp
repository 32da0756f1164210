#include "core/models/checkpoint.h"

#include "core/base/error.h"
#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/io/json_text.h"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace qs {

namespace {

constexpr std::size_t kMostShards = 4096;

[[noreturn]] void corrupt(const std::string& sentence)
{
    throw Error(ErrorCode::CorruptFile, sentence);
}

/// Shard name to the tensors the index says it holds.
std::map<std::string, std::set<std::string>> readIndex(const std::filesystem::path& index)
{
    const nlohmann::json root = readJsonFile(index);
    const auto weightMap = root.find("weight_map");
    if (!root.is_object() || weightMap == root.end() || !weightMap->is_object() || weightMap->empty()) {
        corrupt("'" + index.string() + "' has no object 'weight_map' that names tensors");
    }
    std::map<std::string, std::set<std::string>> shards;
    for (const auto& [tensor, shard] : weightMap->items()) {
        if (!shard.is_string()) {
            corrupt("'" + index.string() + "' does not name a file for the tensor " + quotedName(tensor));
        }
        const auto name = shard.get<std::string>();
        const bool isPlain = !name.empty() && name != "." && name != ".."
            && name.find('\0') == std::string::npos && name.find('/') == std::string::npos;
        if (!isPlain) {
            corrupt("'" + index.string() + "' gives the tensor " + quotedName(tensor) + " the file "
                + quotedName(name) + ", which is not in its directory");
        }
        shards[name].insert(tensor);
        if (shards.size() > kMostShards) {
            corrupt("'" + index.string() + "' lists more than " + std::to_string(kMostShards) + " files");
        }
    }
    return shards;
}

} // namespace

Checkpoint::Checkpoint(const std::filesystem::path& directory)
    : m_listing(directory / "model.safetensors")
{
    const std::filesystem::path index = directory / "model.safetensors.index.json";
    std::error_code ignored; // what cannot be examined cannot be opened, and opening says why
    if (!std::filesystem::exists(m_listing, ignored) && std::filesystem::exists(index, ignored)) {
        m_listing = index;
        openShards(index);
        return;
    }
    m_files.emplace_back(m_listing);
    for (const SafetensorsEntry& entry : m_files.front().entries()) {
        m_fileOf.emplace(entry.name, 0);
    }
}

void Checkpoint::openShards(const std::filesystem::path& index)
{
    for (const auto& [name, tensors] : readIndex(index)) {
        const std::filesystem::path path = index.parent_path() / name;
        std::error_code ignored;
        if (!std::filesystem::exists(path, ignored)) {
            throw Error(ErrorCode::Io,
                "'" + index.string() + "' lists the file " + quotedName(name) + ", which does not exist");
        }
        const SafetensorsFile& file = m_files.emplace_back(path);
        for (const std::string& tensor : tensors) {
            if (file.find(tensor) == nullptr) {
                corrupt("'" + path.string() + "' lacks the tensor " + quotedName(tensor) + " that '"
                    + index.string() + "' says it holds");
            }
        }
        for (const SafetensorsEntry& entry : file.entries()) {
            if (!tensors.contains(entry.name)) {
                corrupt("'" + path.string() + "' holds the tensor " + quotedName(entry.name) + ", which '"
                    + index.string() + "' does not give it");
            }
            m_fileOf.emplace(entry.name, m_files.size() - 1);
        }
    }
}

bool Checkpoint::hasAny(std::string_view prefix) const
{
    const auto it = m_fileOf.lower_bound(prefix);
    return it != m_fileOf.end() && it->first.starts_with(prefix);
}

std::string Checkpoint::prefixOf(const std::vector<std::string>& prefixes, const std::string& probe) const
{
    const auto it
        = std::ranges::find_if(prefixes, [&](const std::string& prefix) { return has(prefix + probe); });
    return it == prefixes.end() ? prefixes.front() : *it;
}

std::string Checkpoint::fileOf(std::string_view name) const
{
    const auto it = m_fileOf.find(name);
    return (it == m_fileOf.end() ? m_listing : m_files[it->second].path()).string();
}

const SafetensorsEntry* Checkpoint::find(std::string_view name) const
{
    const auto it = m_fileOf.find(name);
    return it == m_fileOf.end() ? nullptr : m_files[it->second].find(name);
}

const Shape& Checkpoint::shapeOf(const std::string& name, std::size_t rank) const
{
    const SafetensorsEntry* entry = find(name);
    if (entry == nullptr) {
        corrupt("'" + m_listing.string() + "' lacks the tensor " + quotedName(name));
    }
    if (entry->shape.rank() != rank || entry->shape.elementCount() == 0) {
        corrupt("tensor " + quotedName(name) + " of '" + fileOf(name) + "' has shape " + entry->shape.text()
            + ", but must have " + std::to_string(rank) + " dimensions and at least one element");
    }
    return entry->shape;
}

Tensor Checkpoint::take(const std::string& name, const Shape& shape)
{
    const auto it = m_fileOf.find(name);
    if (it == m_fileOf.end()) {
        corrupt("'" + m_listing.string() + "' lacks the tensor " + quotedName(name));
    }
    Tensor tensor = m_files[it->second].tensor(name);
    if (!(tensor.shape() == shape)) {
        corrupt("tensor " + quotedName(name) + " of '" + fileOf(name) + "' has shape " + tensor.shape().text()
            + " instead of " + shape.text());
    }
    const DType type = tensor.dtype();
    if (type != DType::F32 && type != DType::F16 && type != DType::BF16) {
        corrupt("tensor " + quotedName(name) + " of '" + fileOf(name) + "' holds " + std::string(nameOf(type))
            + " instead of F32, F16 or BF16");
    }
    m_taken.insert(name);
    return tensor;
}

void Checkpoint::checkLeftovers(const Leftovers& meaning) const
{
    for (const auto& [name, file] : m_fileOf) {
        const auto begins = [&name = name](const std::string& part) { return name.starts_with(part); };
        const auto ends = [&name = name](const std::string& part) { return name.ends_with(part); };
        if (m_taken.contains(name) || std::ranges::any_of(meaning.tables, ends)) {
            continue;
        }
        if (std::ranges::any_of(meaning.decisive, begins)) {
            throw Error(ErrorCode::Unsupported,
                "'" + fileOf(name) + "' has the tensor " + quotedName(name)
                    + ", which belongs to a variant of the network that is not supported");
        }
        log(LogLevel::Warning,
            "'" + fileOf(name) + "': the network does not use the tensor " + quotedName(name));
    }
}

std::string Checkpoint::hash() const
{
    if (m_files.size() == 1) {
        return sha256(m_files.front().bytes());
    }
    Sha256 whole;
    for (const SafetensorsFile& file : m_files) {
        const std::string part = sha256(file.bytes());
        whole.update(std::as_bytes(std::span(part)));
    }
    return whole.hex();
}

} // namespace qs
