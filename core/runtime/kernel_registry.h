#pragma once

#include "core/base/error.h"
#include "core/base/task_context.h"
#include "core/graph/graph.h"
#include "core/runtime/array.h"
#include "core/runtime/constant_store.h"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qs {

/// What a kernel works with. Inputs that the node omits are not valid().
struct KernelCall
{
    const Node& node;
    std::span<const Array> inputs;
    BufferPool& pool;
    ConstantStore& constants; ///< packed weights
    const TaskContext& context;
    std::span<const std::uint8_t> constantInputs; ///< per input: 1 when it is the same in every run

    [[nodiscard]] bool has(std::size_t index) const { return index < inputs.size() && inputs[index].valid(); }
    [[nodiscard]] bool inputIsConstant(std::size_t index) const
    {
        return index < constantInputs.size() && constantInputs[index] != 0;
    }
    /// Throws Error(InvalidArgument) naming the node when the input is omitted.
    [[nodiscard]] const Array& input(std::size_t index) const;
    /// The input densely stored; throws Error(Unsupported) when it is not F32.
    [[nodiscard]] Array denseF32(std::size_t index) const;
    [[nodiscard]] Array make(DType dtype, Dims dims) const
    {
        return Array::make(pool, dtype, std::move(dims));
    }
    /// Throws Error of that code with "<op> '<name>': <what>".
    [[noreturn]] void fail(ErrorCode code, const std::string& what) const;
    /// `axis` counted from the end when negative. Throws Error(InvalidArgument) outside [-rank, rank).
    [[nodiscard]] std::size_t axis(std::int64_t axis, std::size_t rank) const;
};

/// Computes all outputs of a node. Views of inputs may be returned.
using Kernel = std::vector<Array> (*)(const KernelCall& call);

/// How an operator is run, and what of it is not supported.
struct KernelEntry
{
    Kernel run = nullptr;
    /// Throws Error(Unsupported | InvalidArgument) for attributes the kernel cannot honour; may be null.
    void (*check)(const Node& node) = nullptr;
};

/// Operator name to kernel, filled by one function per family at first use. Adding an operator touches its
/// family's file alone; adding a family adds one line to kernel_registry.cpp.
class KernelRegistry
{
public:
    [[nodiscard]] static const KernelRegistry& instance();

    void add(std::string op, KernelEntry entry) { m_entries.emplace(std::move(op), entry); }
    /// Null when there is none.
    [[nodiscard]] const KernelEntry* find(std::string_view op) const;
    /// The node's entry. Throws Error(Unsupported) naming the node when there is none, and what its check
    /// throws.
    const KernelEntry& requireSupported(const Node& node) const;
    [[nodiscard]] std::vector<std::string> operators() const;

private:
    std::map<std::string, KernelEntry, std::less<>> m_entries;
};

} // namespace qs
