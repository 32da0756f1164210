#include "core/runtime/matmul.h"

#include "core/base/error.h"
#include "core/base/mapped_file.h"
#include "core/base/parallel.h"
#include "core/runtime/panel_product.h"
#include "core/tensor/weight_values.h"

#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <omp.h>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace qs {

namespace {

using dnnl::memory;

constexpr std::int64_t kPackingRows = 64; // the row count the packed layout is chosen for

/// While alive, oneDNN primitives are made for and run on one thread.
class OneThread
{
public:
    OneThread()
        : m_before(omp_get_max_threads())
    {
        if (m_before != 1) {
            omp_set_num_threads(1);
        }
    }
    ~OneThread()
    {
        if (m_before != 1) {
            omp_set_num_threads(m_before);
        }
    }
    OneThread(const OneThread&) = delete;
    OneThread& operator=(const OneThread&) = delete;

private:
    int m_before;
};

dnnl::engine& engine()
{
    static dnnl::engine instance(dnnl::engine::kind::cpu, 0);
    return instance;
}

dnnl::stream& stream()
{
    thread_local dnnl::stream instance(engine());
    return instance;
}

/// Memory of this thread that primitives may use while they run.
std::byte* scratchpad(std::size_t size)
{
    thread_local std::vector<std::byte> buffer;
    if (buffer.size() < size + 64) {
        buffer.resize(size + 64);
    }
    const auto address = reinterpret_cast<std::uintptr_t>(buffer.data());
    return buffer.data() + (64 - address % 64) % 64;
}

memory::desc plain(std::int64_t rows, std::int64_t columns)
{
    return {{rows, columns}, memory::data_type::f32, memory::format_tag::ab};
}

/// A matmul for fixed sizes, ready to run.
struct Product
{
    dnnl::matmul::primitive_desc description;
    dnnl::matmul primitive;
    memory::desc source;
    memory::desc weights;
    memory::desc bias;
    memory::desc target;
    std::size_t scratchpadBytes = 0;
    bool hasBias = false;

    void run(const float* a, const void* b, const float* addend, float* c) const;
};

/// A product's operands as oneDNN wants them, made once per thread: only their addresses change from call to
/// call.
struct Arguments
{
    std::array<memory, 5> memories;
    std::array<dnnl_exec_arg_t, 5> list {};
    int count = 0;

    explicit Arguments(const Product& product)
    {
        add(DNNL_ARG_SRC, product.source);
        add(DNNL_ARG_WEIGHTS, product.weights);
        add(DNNL_ARG_DST, product.target);
        add(DNNL_ARG_SCRATCHPAD, product.description.scratchpad_desc());
        if (product.hasBias) {
            add(DNNL_ARG_BIAS, product.bias);
        }
    }

    void add(int argument, const memory::desc& description)
    {
        memory& place = memories[static_cast<std::size_t>(count)];
        place = memory(description, engine(), nullptr);
        list[static_cast<std::size_t>(count++)] = {argument, place.get()};
    }

    void point(std::size_t index, const void* address) const
    {
        memories[index].set_data_handle(const_cast<void*>(address));
    }
};

void Product::run(const float* a, const void* b, const float* addend, float* c) const
{
    const OneThread oneThread;
    thread_local std::unordered_map<const Product*, Arguments> known; // products live as long as the process
    const Arguments& arguments = known.try_emplace(this, *this).first->second;
    arguments.point(0, a);
    arguments.point(1, b);
    arguments.point(2, c);
    arguments.point(3, scratchpad(scratchpadBytes));
    if (hasBias) {
        arguments.point(4, addend);
    }
    dnnl::error::wrap_c_api(
        dnnl_primitive_execute(primitive.get(), stream().get(), arguments.count, arguments.list.data()),
        "could not execute a matrix product");
}

enum class Bias { No, Yes };

std::shared_ptr<const Product> makeProduct(
    std::int64_t m, std::int64_t k, std::int64_t n, const memory::desc& weights, Bias bias)
{
    const OneThread oneThread;
    dnnl::primitive_attr attributes;
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    auto product = std::make_shared<Product>();
    product->source = plain(m, k);
    product->target = plain(m, n);
    product->bias = plain(1, n);
    product->hasBias = bias == Bias::Yes;
    const dnnl::matmul::desc wanted = bias == Bias::Yes
        ? dnnl::matmul::desc(product->source, weights, product->bias, product->target)
        : dnnl::matmul::desc(product->source, weights, product->target);
    product->description = dnnl::matmul::primitive_desc(wanted, attributes, engine());
    product->primitive = dnnl::matmul(product->description);
    product->weights = product->description.weights_desc();
    product->scratchpadBytes = product->description.scratchpad_desc().get_size();
    return product;
}

[[noreturn]] void fail(const dnnl::error& error, std::int64_t m, std::int64_t k, std::int64_t n)
{
    const ErrorCode code = error.status == dnnl_out_of_memory ? ErrorCode::OutOfMemory : ErrorCode::Internal;
    throw Error(code,
        "oneDNN refused a matrix product of " + std::to_string(m) + " x " + std::to_string(k) + " and "
            + std::to_string(k) + " x " + std::to_string(n) + ": " + error.what());
}

/// Products by size, kept for the life of the process (a few hundred bytes of description and shared code
/// each).
template<typename Make>
std::shared_ptr<const Product> cached(
    std::tuple<std::int64_t, std::int64_t, std::int64_t, int> key, const Make& make)
{
    static std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t, int>, std::shared_ptr<const Product>>
        known;
    static std::shared_mutex mutex;
    {
        const std::shared_lock lock(mutex);
        const auto it = known.find(key);
        if (it != known.end()) {
            return it->second;
        }
    }
    std::shared_ptr<const Product> product = make();
    const std::unique_lock lock(mutex);
    return known.try_emplace(key, std::move(product)).first->second;
}

/// oneDNN's products for AVX-512 are as good as ours; for AVX2 they reach 85 % of the peak where ours reach
/// 97, and their bits depend on the number of rows.
bool usesPanels()
{
    static const bool uses = hasFusedPanels() && __builtin_cpu_supports("avx512f") == 0;
    return uses;
}

struct FreeMemory
{
    void operator()(float* address) const { std::free(address); }
};
using Panels = std::unique_ptr<float[], FreeMemory>;

/// Part [first, last) of the rows of W as floats in panels, tile by tile where W must be converted.
void packPanelRows(const StoredMatrix& w, std::int64_t first, std::int64_t last, float* panels)
{
    const std::int64_t depth = last - first;
    float* target = panels + first * packedPanelFloats(1, w.n);
    const auto place = [&](std::int64_t k, std::int64_t n) {
        return w.data + (k * w.strideK + n * w.strideN) * static_cast<std::int64_t>(sizeOf(w.type));
    };
    if (w.type == DType::F32 && reinterpret_cast<std::uintptr_t>(w.data) % alignof(float) == 0) {
        packPanels(reinterpret_cast<const float*>(place(first, 0)), depth, w.n, w.strideK, w.strideN, target);
        return;
    }
    constexpr std::int64_t kTile = 512; // columns, a whole number of panels
    thread_local std::vector<float> tile;
    tile.resize(static_cast<std::size_t>(kPanelDepth * kTile));
    const bool byColumns = w.strideN != 1; // a column lies in one piece
    for (std::int64_t column = 0; column < w.n; column += kTile) {
        const std::int64_t width = std::min(kTile, w.n - column);
        const std::int64_t pieces = byColumns ? width : depth;
        const std::int64_t length = byColumns ? depth : width;
        for (std::int64_t i = 0; i < pieces; ++i) {
            const std::byte* source = byColumns ? place(first, column + i) : place(first + i, column);
            weightsToFloat(w.type, source, static_cast<std::size_t>(length), tile.data() + i * length);
        }
        packPanels(tile.data(), depth, width, byColumns ? 1 : length, byColumns ? length : 1,
            target + column * depth);
    }
}

Panels makePanels(const StoredMatrix& w)
{
    const std::size_t bytes = static_cast<std::size_t>(packedPanelFloats(w.k, w.n)) * sizeof(float);
    Panels panels(
        static_cast<float*>(std::aligned_alloc(64, bytes))); // whole lines: panels are 64 bytes wide
    if (panels == nullptr) {
        throw Error(ErrorCode::OutOfMemory,
            "no memory for a packed matrix of " + std::to_string(w.k) + " x " + std::to_string(w.n));
    }
    parallelFor(w.k, kPanelDepth,
        [&](std::int64_t first, std::int64_t last) { packPanelRows(w, first, last, panels.get()); });
    const std::int64_t count = (w.k - 1) * w.strideK + (w.n - 1) * w.strideN + 1;
    MappedFile::release({w.data, static_cast<std::size_t>(count) * sizeOf(w.type)});
    return panels;
}

} // namespace

struct PackedMatrix::Implementation
{
    std::int64_t k = 0;
    std::int64_t n = 0;
    memory::desc layout;
    memory packed;
    Panels panels; ///< instead of `packed` where usesPanels()

    [[nodiscard]] std::shared_ptr<const Product> product(std::int64_t rows, Bias bias) const
    {
        return cached(
            {rows, k, n, bias == Bias::Yes ? 1 : 2}, [&] { return makeProduct(rows, k, n, layout, bias); });
    }
};

namespace {

constexpr std::int64_t kSlabElements = 1 << 18; // a megabyte as floats
constexpr std::int64_t kSlabAlignment = 192; // a multiple of the blocks of packed layouts: 16, 32, 48 or 64

/// Rows of storage [first, last) of a matrix, converted where they are not floats, into their part of the
/// packed memory. Slabs of equal size share one oneDNN primitive.
void packSlab(const StoredMatrix& matrix, std::int64_t first, std::int64_t last, const memory& packed)
{
    const OneThread oneThread;
    const bool byColumns = matrix.strideK == 1 && matrix.strideN != 1; // a row of storage is a column
    const std::int64_t stride = byColumns ? matrix.strideN : matrix.strideK;
    const std::int64_t length = byColumns ? matrix.k : matrix.n;
    const std::byte* source = matrix.data + first * stride * static_cast<std::int64_t>(sizeOf(matrix.type));
    const std::size_t count = static_cast<std::size_t>((last - first - 1) * stride + length);
    const std::size_t sourceBytes = count * sizeOf(matrix.type);
    const bool readable
        = matrix.type == DType::F32 && reinterpret_cast<std::uintptr_t>(source) % alignof(float) == 0;
    thread_local std::vector<float> converted;
    if (!readable) {
        converted.resize(std::max(converted.size(), count));
        weightsToFloat(matrix.type, source, count, converted.data());
        MappedFile::release({source, sourceBytes});
    }
    const auto* values = readable ? reinterpret_cast<const float*>(source) : converted.data();
    const memory::dims dims
        = byColumns ? memory::dims {matrix.k, last - first} : memory::dims {last - first, matrix.n};
    const memory::dims offset = byColumns ? memory::dims {0, first} : memory::dims {first, 0};
    memory::desc part = packed.get_desc().submemory_desc(dims, offset);
    float* target = static_cast<float*>(packed.get_data_handle()) + part.data.offset0;
    part.data.offset0 = 0;
    const memory::desc given(dims, memory::data_type::f32, memory::dims {matrix.strideK, matrix.strideN});
    memory from(given, engine(), const_cast<float*>(values));
    memory to(part, engine(), target);
    dnnl::reorder(from, to).execute(stream(), from, to);
    stream().wait();
    if (readable) {
        MappedFile::release({source, sourceBytes});
    }
}

} // namespace

PackedMatrix::PackedMatrix(const StoredMatrix& matrix)
    : m_implementation(std::make_unique<Implementation>())
{
    const std::int64_t k = matrix.k;
    const std::int64_t n = matrix.n;
    m_implementation->k = k;
    m_implementation->n = n;
    if (k == 0 || n == 0) {
        return;
    }
    if (usesPanels()) {
        m_implementation->panels = makePanels(matrix);
        return;
    }
    try {
        const OneThread oneThread;
        const memory::desc any({k, n}, memory::data_type::f32, memory::format_tag::any);
        m_implementation->layout = cached({kPackingRows, k, n, 0}, [&] {
            return makeProduct(kPackingRows, k, n, any, Bias::Yes);
        })->weights;
        m_implementation->packed = memory(m_implementation->layout, engine());
        const bool byColumns = matrix.strideK == 1 && matrix.strideN != 1;
        const std::int64_t length = std::max<std::int64_t>(1, byColumns ? matrix.strideN : matrix.strideK);
        const std::int64_t count = byColumns ? n : k;
        const std::int64_t slab
            = std::max<std::int64_t>(1, kSlabElements / length / kSlabAlignment) * kSlabAlignment;
        parallelFor(count, slab, [&](std::int64_t first, std::int64_t last) {
            packSlab(matrix, first, last, m_implementation->packed);
        });
    } catch (const dnnl::error& error) {
        fail(error, kPackingRows, k, n);
    }
}

PackedMatrix::~PackedMatrix() = default;
PackedMatrix::PackedMatrix(PackedMatrix&&) noexcept = default;
PackedMatrix& PackedMatrix::operator=(PackedMatrix&&) noexcept = default;

std::int64_t PackedMatrix::rows() const
{
    return m_implementation->k;
}

std::int64_t PackedMatrix::columns() const
{
    return m_implementation->n;
}

std::size_t PackedMatrix::byteCount() const
{
    if (m_implementation->panels != nullptr) {
        return static_cast<std::size_t>(packedPanelFloats(m_implementation->k, m_implementation->n))
            * sizeof(float);
    }
    return m_implementation->packed ? m_implementation->packed.get_desc().get_size() : 0;
}

void PackedMatrix::multiply(const float* x, std::int64_t rows, const float* bias, float* y) const
{
    const std::int64_t n = m_implementation->n;
    if (rows == 0 || n == 0) {
        return;
    }
    if (m_implementation->k == 0) {
        for (std::int64_t row = 0; row < rows; ++row) {
            for (std::int64_t i = 0; i < n; ++i) {
                y[row * n + i] = bias == nullptr ? 0.0F : bias[i];
            }
        }
        return;
    }
    if (m_implementation->panels != nullptr) {
        multiplyPanels({x, rows, m_implementation->k}, m_implementation->panels.get(), m_implementation->k, n,
            bias, y, n);
        return;
    }
    try {
        m_implementation->product(rows, bias == nullptr ? Bias::No : Bias::Yes)
            ->run(x, m_implementation->packed.get_data_handle(), bias, y);
    } catch (const dnnl::error& error) {
        fail(error, rows, m_implementation->k, n);
    }
}

void multiply(const float* a, const float* b, float* c, std::int64_t m, std::int64_t k, std::int64_t n,
    RightHand rightHand)
{
    if (m == 0 || n == 0) {
        return;
    }
    if (k == 0) {
        std::fill_n(c, m * n, 0.0F);
        return;
    }
    // The panels of the thread; the callers' own scratch memory stays as it is.
    thread_local std::vector<float> packed;
    packed.resize(static_cast<std::size_t>(packedPanelFloats(k, n)));
    const bool isPlain = rightHand == RightHand::Plain;
    packPanels(b, k, n, isPlain ? n : 1, isPlain ? 1 : k, packed.data());
    multiplyPanels({a, m, k}, packed.data(), k, n, nullptr, c, n);
}

} // namespace qs
