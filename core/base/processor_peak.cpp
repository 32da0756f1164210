#include "core/base/processor_peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace qs {

namespace {

constexpr std::int64_t kRounds = 4'000'000;
constexpr int kChains
    = 10; // independent sums: enough to hide the latency of two units, few enough for 16 registers

/// kRounds times kChains multiply-adds on vectors of Bytes; returns the operations done.
template<int Bytes>
__attribute__((always_inline)) inline double spin()
{
    using Vector [[gnu::vector_size(Bytes)]] = float;
    Vector sums[kChains];
    for (Vector& sum : sums) {
        sum = Vector {} + 1.0F;
    }
    Vector factor = Vector {} + 0.999999F;
    Vector addend = Vector {} + 1e-6F;
    asm volatile("" : "+x"(factor), "+x"(addend));
    for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 10
        for (Vector& sum : sums) {
            sum = sum * factor + addend;
        }
        asm volatile("" ::"x"(sums[0]));
    }
    Vector total = sums[0];
    for (const Vector& sum : sums) {
        total += sum;
    }
    asm volatile("" ::"x"(total));
    return static_cast<double>(kRounds) * kChains * 2.0 * (Bytes / 4);
}

__attribute__((target("avx512f"), optimize("fp-contract=fast"))) double spinAvx512()
{
    return spin<64>();
}

__attribute__((target("avx2,fma"), optimize("fp-contract=fast"))) double spinAvx2()
{
    return spin<32>();
}

double spinBest()
{
    if (__builtin_cpu_supports("avx512f") != 0) {
        return spinAvx512();
    }
    return __builtin_cpu_supports("fma") != 0 ? spinAvx2() : spin<16>();
}

} // namespace

double measuredPeak(int threads)
{
    double best = 0.0;
    for (int attempt = 0; attempt < 5; ++attempt) {
        std::vector<double> operations(static_cast<std::size_t>(threads));
        const auto start = std::chrono::steady_clock::now();
        {
            std::vector<std::jthread> workers;
            for (double& done : operations) {
                workers.emplace_back([&done] { done = spinBest(); });
            }
        }
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
        double sum = 0.0;
        for (const double done : operations) {
            sum += done;
        }
        best = std::max(best, sum / took.count());
    }
    return best;
}

} // namespace qs
