#include "core/base/hash.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

namespace qs {

struct Sha256::State
{
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256()
    : m_state(std::make_unique<State>())
{
    if (EVP_DigestInit_ex(m_state->context, EVP_sha256(), nullptr) != 1) {
        throw Error(ErrorCode::Internal, "SHA-256 is not available");
    }
}

Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> bytes)
{
    EVP_DigestUpdate(m_state->context, bytes.data(), bytes.size());
}

std::string Sha256::hex()
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest {};
    unsigned length = 0;
    EVP_DigestFinal_ex(m_state->context, digest.data(), &length);
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(std::size_t {2} * length);
    for (unsigned i = 0; i < length; ++i) {
        text += kDigits[digest[i] >> 4U];
        text += kDigits[digest[i] & 15U];
    }
    return text;
}

std::string sha256(std::span<const std::byte> bytes)
{
    constexpr std::size_t kPiece = std::size_t {8} << 20U;
    Sha256 hash;
    for (std::size_t at = 0; at < bytes.size(); at += kPiece) {
        const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
        hash.update(piece);
        MappedFile::release(piece); // a file larger than memory must not pile up in it
    }
    return hash.hex();
}

std::string sha256OfFile(const std::filesystem::path& path)
{
    return sha256(MappedFile::open(path)->bytes());
}

} // namespace qs
