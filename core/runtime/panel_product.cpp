#include "core/runtime/panel_product.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace qs {

namespace {

#define QS_PANEL_BODY static inline __attribute__((always_inline))

constexpr std::int64_t kPanel = 16; // columns
/// A panel's block stays in the first cache while all rows of A pass by.
constexpr std::int64_t kDepth = kPanelDepth;
/// A tile fetches one line of the next panel with every so many steps over k.
constexpr std::int64_t kStepsPerLine = 16;
constexpr std::int64_t kLine = 16; // floats

/// What a tile works on: some rows of A, one block of B, the place in C.
struct Tile
{
    const float* a;
    std::int64_t strideA;
    const float* b;
    std::int64_t vectorStep; ///< floats between the vectors of one row of B
    std::int64_t depth;
    float* c;
    std::int64_t strideC;
    bool continues; ///< C holds the sum over the blocks before
    const float* bias; ///< added to the sums; null: none
    const float* next; ///< of the panel behind, fetched into the cache meanwhile
};

/// Rows x Vectors sums in registers over the depth of the block.
template<int Bytes, std::size_t Rows, std::size_t Vectors>
QS_PANEL_BODY void runTile(const Tile& t)
{
    using Vector [[gnu::vector_size(Bytes)]] = float;
    constexpr std::int64_t kLanes = Bytes / 4;
    const std::int64_t stepC = t.vectorStep == kLanes ? kLanes : kPanel;
    const auto placeC = [&](std::size_t r, std::size_t v) __attribute__((always_inline))
    {
        return t.c + static_cast<std::int64_t>(r) * t.strideC + static_cast<std::int64_t>(v) * stepC;
    };
    Vector sums[Rows][Vectors];
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
            sums[r][v] = Vector {};
            if (t.continues) {
                std::memcpy(&sums[r][v], placeC(r, v), Bytes);
            }
        }
    }
    const float* b = t.b;
    const float* next = t.next;
    for (std::int64_t k = 0; k < t.depth;) {
        __builtin_prefetch(next);
        next += kLine;
        for (const std::int64_t end = std::min(t.depth, k + kStepsPerLine); k < end; ++k, b += kPanel) {
            Vector row[Vectors];
#pragma GCC unroll 4
            for (std::size_t v = 0; v < Vectors; ++v) {
                std::memcpy(&row[v], b + static_cast<std::int64_t>(v) * t.vectorStep, Bytes);
            }
#pragma GCC unroll 16
            for (std::size_t r = 0; r < Rows; ++r) {
                const float x = t.a[static_cast<std::int64_t>(r) * t.strideA + k];
#pragma GCC unroll 4
                for (std::size_t v = 0; v < Vectors; ++v) {
                    sums[r][v] = row[v] * x + sums[r][v];
                }
            }
        }
    }
    if (t.bias != nullptr) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
            Vector bias;
            std::memcpy(&bias, t.bias + static_cast<std::int64_t>(v) * stepC, Bytes);
#pragma GCC unroll 16
            for (std::size_t r = 0; r < Rows; ++r) {
                sums[r][v] = sums[r][v] + bias;
            }
        }
    }
#pragma GCC unroll 16
    for (std::size_t r = 0; r < Rows; ++r) {
#pragma GCC unroll 4
        for (std::size_t v = 0; v < Vectors; ++v) {
            std::memcpy(placeC(r, v), &sums[r][v], Bytes);
        }
    }
}

using TileFunction = void (*)(const Tile&);

/// Kernels of one instruction set: by rows, for one panel and for two side by side (null: one at a time).
struct PanelKernels
{
    int rows;
    std::array<TileFunction, 13> one;
    std::array<TileFunction, 13> two;
    std::int64_t stepInPanel; ///< floats between the vectors of a panel's row
    bool isFused;
};

#define QS_TILES(NAME, BYTES, VECTORS, TARGET)                                                               \
    template<std::size_t Rows>                                                                               \
    TARGET void NAME(const Tile& tile)                                                                       \
    {                                                                                                        \
        runTile<BYTES, Rows, VECTORS>(tile);                                                                 \
    }

// Contraction makes a multiply-add of the product and sum above.
QS_TILES(tileGeneric, 16, 4, )
QS_TILES(tileAvx2, 32, 2, __attribute__((target("avx2,fma"), optimize("fp-contract=fast"))))
QS_TILES(tileAvx512, 64, 1,
    __attribute__((target("avx512f,prefer-vector-width=512"), optimize("fp-contract=fast"))))
QS_TILES(tilePairAvx512, 64, 2,
    __attribute__((target("avx512f,prefer-vector-width=512"), optimize("fp-contract=fast"))))
#undef QS_TILES

constexpr PanelKernels kGeneric {2, {nullptr, tileGeneric<1>, tileGeneric<2>}, {}, 4, false};
constexpr PanelKernels kAvx2 {
    6, {nullptr, tileAvx2<1>, tileAvx2<2>, tileAvx2<3>, tileAvx2<4>, tileAvx2<5>, tileAvx2<6>}, {}, 8, true};
constexpr PanelKernels kAvx512 {12,
    {nullptr, tileAvx512<1>, tileAvx512<2>, tileAvx512<3>, tileAvx512<4>, tileAvx512<5>, tileAvx512<6>,
        tileAvx512<7>, tileAvx512<8>, tileAvx512<9>, tileAvx512<10>, tileAvx512<11>, tileAvx512<12>},
    {nullptr, tilePairAvx512<1>, tilePairAvx512<2>, tilePairAvx512<3>, tilePairAvx512<4>, tilePairAvx512<5>,
        tilePairAvx512<6>, tilePairAvx512<7>, tilePairAvx512<8>, tilePairAvx512<9>, tilePairAvx512<10>,
        tilePairAvx512<11>, tilePairAvx512<12>},
    16, true};

const PanelKernels& kernels()
{
    static const PanelKernels& chosen = __builtin_cpu_supports("avx512f") != 0      ? kAvx512
        : __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 ? kAvx2
                                                                                    : kGeneric;
    return chosen;
}

std::int64_t panelsOf(std::int64_t n)
{
    return (n + kPanel - 1) / kPanel;
}

/// One or two panels of one block against all rows of A.
class PanelRun
{
public:
    /// \param bias added to the sums of this block; null: none
    PanelRun(const LeftRows& a, std::int64_t firstK, std::int64_t depth, const float* bias, float* c,
        std::int64_t strideC)
        : m_a(a)
        , m_firstK(firstK)
        , m_depth(depth)
        , m_bias(bias)
        , m_c(c)
        , m_strideC(strideC)
    {
    }

    void full(const float* b, std::int64_t column, bool isPair) const
    {
        const PanelKernels& k = kernels();
        const std::int64_t step = isPair ? m_depth * kPanel : k.stepInPanel;
        const float* bias = m_bias == nullptr ? nullptr : m_bias + column;
        const float* next = b + m_depth * kPanel * (isPair ? 2 : 1);
        for (std::int64_t row = 0; row < m_a.rows; row += k.rows, next += m_depth) {
            const auto rows = static_cast<std::size_t>(std::min<std::int64_t>(k.rows, m_a.rows - row));
            (isPair ? k.two : k.one)[rows]({m_a.data + row * m_a.stride + m_firstK, m_a.stride, b, step,
                m_depth, m_c + row * m_strideC + column, m_strideC, m_firstK > 0, bias, next});
        }
    }

    /// A last panel with fewer columns goes through memory of its own.
    void partial(const float* b, std::int64_t column, std::int64_t width) const
    {
        const PanelKernels& k = kernels();
        const std::size_t bytes = static_cast<std::size_t>(width) * sizeof(float);
        alignas(64) float c[12 * kPanel] = {};
        alignas(64) float bias[kPanel] = {};
        if (m_bias != nullptr) {
            std::memcpy(bias, m_bias + column, bytes);
        }
        for (std::int64_t row = 0; row < m_a.rows; row += k.rows) {
            const std::int64_t rows = std::min<std::int64_t>(k.rows, m_a.rows - row);
            float* target = m_c + row * m_strideC + column;
            for (std::int64_t r = 0; m_firstK > 0 && r < rows; ++r) {
                std::memcpy(c + r * kPanel, target + r * m_strideC, bytes);
            }
            k.one[static_cast<std::size_t>(rows)]({m_a.data + row * m_a.stride + m_firstK, m_a.stride, b,
                k.stepInPanel, m_depth, c, kPanel, m_firstK > 0, m_bias == nullptr ? nullptr : bias, b});
            for (std::int64_t r = 0; r < rows; ++r) {
                std::memcpy(target + r * m_strideC, c + r * kPanel, bytes);
            }
        }
    }

private:
    const LeftRows& m_a;
    std::int64_t m_firstK;
    std::int64_t m_depth;
    const float* m_bias;
    float* m_c;
    std::int64_t m_strideC;
};

} // namespace

std::int64_t packedPanelFloats(std::int64_t k, std::int64_t n)
{
    return k * panelsOf(n) * kPanel;
}

void packPanels(const float* data, std::int64_t k, std::int64_t n, std::int64_t strideK, std::int64_t strideN,
    float* packed)
{
    for (std::int64_t first = 0; first < k; first += kDepth) {
        const std::int64_t depth = std::min(kDepth, k - first);
        for (std::int64_t column = 0; column < n; column += kPanel) {
            const std::int64_t width = std::min(kPanel, n - column);
            const float* source = data + first * strideK + column * strideN;
            if (strideN == 1) {
                for (std::int64_t i = 0; i < depth; ++i) {
                    std::copy_n(source + i * strideK, width, packed + i * kPanel);
                    std::fill(packed + i * kPanel + width, packed + (i + 1) * kPanel, 0.0F);
                }
            } else {
                for (std::int64_t j = 0; j < kPanel; ++j) {
                    for (std::int64_t i = 0; i < depth; ++i) {
                        packed[i * kPanel + j] = j < width ? source[i * strideK + j * strideN] : 0.0F;
                    }
                }
            }
            packed += depth * kPanel;
        }
    }
}

void multiplyPanels(const LeftRows& a, const float* packed, std::int64_t k, std::int64_t n, const float* bias,
    float* c, std::int64_t strideC)
{
    const bool hasPairs = kernels().two[1] != nullptr;
    for (std::int64_t first = 0; first < k; first += kDepth) {
        const std::int64_t depth = std::min(kDepth, k - first);
        const PanelRun run(a, first, depth, first + depth == k ? bias : nullptr, c, strideC);
        for (std::int64_t column = 0; column < n;) {
            const bool isPair = hasPairs && n - column >= 2 * kPanel;
            if (n - column < kPanel) {
                run.partial(packed, column, n - column);
            } else {
                run.full(packed, column, isPair);
            }
            const std::int64_t panels = isPair ? 2 : 1;
            column += panels * kPanel;
            packed += panels * depth * kPanel;
        }
    }
}

bool hasFusedPanels()
{
    return kernels().isFused;
}

} // namespace qs
