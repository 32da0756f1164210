#include "core/runtime/matmul.h"

#include "core/base/error.h"
#include "core/runtime/panel_product.h"

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

Panels makePanels(
    const float* data, std::int64_t k, std::int64_t n, std::int64_t strideK, std::int64_t strideN)
{
    const std::size_t bytes = static_cast<std::size_t>(packedPanelFloats(k, n)) * sizeof(float);
    Panels panels(
        static_cast<float*>(std::aligned_alloc(64, bytes))); // whole lines: panels are 64 bytes wide
    if (panels == nullptr) {
        throw Error(ErrorCode::OutOfMemory,
            "no memory for a packed matrix of " + std::to_string(k) + " x " + std::to_string(n));
    }
    packPanels(data, k, n, strideK, strideN, panels.get());
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

PackedMatrix::PackedMatrix(
    const float* data, std::int64_t k, std::int64_t n, std::int64_t strideK, std::int64_t strideN)
    : m_implementation(std::make_unique<Implementation>())
{
    m_implementation->k = k;
    m_implementation->n = n;
    if (k == 0 || n == 0) {
        return;
    }
    if (usesPanels()) {
        m_implementation->panels = makePanels(data, k, n, strideK, strideN);
        return;
    }
    try {
        const OneThread oneThread;
        const memory::desc any({k, n}, memory::data_type::f32, memory::format_tag::any);
        m_implementation->layout = cached({kPackingRows, k, n, 0}, [&] {
            return makeProduct(kPackingRows, k, n, any, Bias::Yes);
        })->weights;
        const memory::desc given({k, n}, memory::data_type::f32, memory::dims {strideK, strideN});
        memory from(given, engine(), const_cast<float*>(data));
        m_implementation->packed = memory(m_implementation->layout, engine());
        dnnl::reorder(from, m_implementation->packed).execute(stream(), from, m_implementation->packed);
        stream().wait();
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
