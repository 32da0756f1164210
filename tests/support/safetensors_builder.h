#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace qs::test {

inline std::string readFile(const std::filesystem::path& path)
{
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

inline void writeFile(const std::filesystem::path& path, const std::string& bytes)
{
    std::filesystem::remove(path); // truncating a file that exists makes some file systems flush it
    std::ofstream(path, std::ios::binary) << bytes;
}

/// 8 bytes of length, little endian, then the header, then the payload; `length` other than the header's
/// lies.
inline std::string safetensorsBytes(
    const std::string& header, const std::string& payload, std::uint64_t length)
{
    std::string bytes;
    for (unsigned shift = 0; shift < 64; shift += 8) {
        bytes += static_cast<char>(length >> shift & 0xFFU);
    }
    return bytes + header + payload;
}

inline std::string safetensorsBytes(const std::string& header, const std::string& payload)
{
    return safetensorsBytes(header, payload, header.size());
}

struct RawTensor
{
    std::string name;
    std::string dtype;
    std::vector<std::int64_t> shape;
    std::string bytes;
};

/// Takes a valid file apart, without the reader under test.
inline std::vector<RawTensor> splitSafetensors(const std::string& file)
{
    std::uint64_t length = 0;
    std::memcpy(&length, file.data(), sizeof(length));
    std::vector<RawTensor> tensors;
    const auto header = nlohmann::json::parse(file.substr(8, length));
    for (const auto& [name, entry] : header.items()) {
        if (name != "__metadata__") {
            const std::size_t begin = entry["data_offsets"][0];
            const std::size_t end = entry["data_offsets"][1];
            tensors.push_back(
                {name, entry["dtype"], entry["shape"], file.substr(8 + length + begin, end - begin)});
        }
    }
    return tensors;
}

inline std::string joinSafetensors(const std::vector<RawTensor>& tensors)
{
    nlohmann::json header = nlohmann::json::object();
    std::string payload;
    for (const RawTensor& tensor : tensors) {
        const std::size_t begin = payload.size();
        payload += tensor.bytes;
        header[tensor.name]
            = {{"dtype", tensor.dtype}, {"shape", tensor.shape}, {"data_offsets", {begin, payload.size()}}};
    }
    return safetensorsBytes(header.dump(), payload);
}

} // namespace qs::test
