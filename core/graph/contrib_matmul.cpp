#include "core/graph/contrib_matmul.h"

#include <algorithm>
#include <numeric>
#include <string_view>

namespace qs {

namespace {

constexpr const char* kDomain = "com.microsoft.";

ValueId turnedOperand(ContribCall& call, std::size_t index, const char* letter)
{
    const ValueId x = call.input(index);
    const bool turns = call.node().intAttribute(std::string("trans") + letter, 0) != 0;
    const bool movesBatch = call.node().intAttribute(std::string("transBatch") + letter, 0) != 0;
    if (!turns && !movesBatch) {
        return x;
    }
    std::vector<std::int64_t> order(call.rank(x));
    std::iota(order.begin(), order.end(), std::int64_t {0});
    if (order.size() < 2) {
        call.refuse("with an operand of rank " + std::to_string(order.size()) + " to be transposed");
    }
    if (movesBatch) {
        std::rotate(order.begin(), order.begin() + 1, order.end() - 1);
    }
    if (turns) {
        std::swap(order[order.size() - 1], order[order.size() - 2]);
    }
    return call.transpose(std::string(letter) + ".transpose", x, order);
}

/// B [K, N] in float; its scale is one number or one per column.
ValueId dequantizedMatrix(ContribCall& call, std::size_t matrix, std::size_t scale, std::size_t zeroPoint)
{
    std::vector<ValueId> inputs {call.input(matrix), call.input(scale)};
    if (call.has(zeroPoint)) {
        inputs.push_back(call.input(zeroPoint));
    }
    return call.op("DequantizeLinear", "B.dequantize", std::move(inputs), {{"axis", std::int64_t {-1}}});
}

void addProduct(ContribCall& call, ValueId a, ValueId b, std::size_t bias)
{
    if (!call.has(bias)) {
        call.result(0, "MatMul", "", {a, b});
        return;
    }
    const ValueId product = call.op("MatMul", "MatMul", {a, b});
    call.result(0, "Add", "", {product, call.input(bias)});
}

} // namespace

void decomposeFusedMatMul(ContribCall& call)
{
    const double alpha = call.node().floatAttribute("alpha", 1.0);
    const ValueId a = turnedOperand(call, 0, "A");
    const ValueId b = turnedOperand(call, 1, "B");
    if (alpha == 1.0) {
        call.result(0, "MatMul", "", {a, b});
        return;
    }
    const ValueId product = call.op("MatMul", "MatMul", {a, b});
    call.result(0, "Mul", "", {product, call.scalar("alpha", alpha)});
}

void decomposeMatMulIntegerToFloat(ContribCall& call)
{
    std::vector<ValueId> inputs {call.input(0), call.input(2)};
    if (call.has(4)) {
        inputs.push_back(call.input(4));
    }
    const ValueId a = call.op("DequantizeLinear", "A.dequantize", std::move(inputs));
    addProduct(call, a, dequantizedMatrix(call, 1, 3, 5), 6);
}

void decomposeDynamicQuantizeMatMul(ContribCall& call)
{
    const std::vector<ValueId> quantized = call.quantizedNow("A.quantize", call.input(0));
    const ValueId a = call.op("DequantizeLinear", "A.dequantize", quantized);
    addProduct(call, a, dequantizedMatrix(call, 1, 2, 3), 4);
}

void decomposeRenamed(ContribCall& call)
{
    std::vector<ValueId> inputs;
    for (std::size_t i = 0; i < call.node().inputs.size(); ++i) {
        inputs.push_back(call.has(i) ? call.input(i) : kNoValue);
    }
    call.result(0, call.node().op.substr(std::string_view(kDomain).size()), "", std::move(inputs),
        call.node().attributes);
}

} // namespace qs
