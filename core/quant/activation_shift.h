#pragma once

#include "core/models/model.h"
#include "core/quant/resolve.h"

#include <memory>
#include <string>
#include <vector>

namespace qs {

/// A constant added to an activation function's output on its way into linears, so that no value is negative
/// and a logarithmic quantizer fits: most values behind a GELU lie near its minimum, where a uniform
/// quantizer of few bits has one code for all of them (AdaLog, arXiv 2407.12951; methods.md 4.3). The
/// linears' biases take it back: W (x + a) + (b - a sum_c W[:, c]) = W x + b. A value; a recipe keeps it.
struct ActivationShift
{
    std::string site;
    double amount = 0.0; ///< > 0: minus the least value of the function

    friend bool operator==(const ActivationShift&, const ActivationShift&) = default;
};

/// The sites of linear inputs behind a Gelu, Swish or Relu, at most reshaped in between, in order, with what makes their values
/// not negative: minus the function's minimum, 0 for Relu.
[[nodiscard]] std::vector<ActivationShift> findActivationShifts(const Model& model);

/// The model with these shifts; FP32 outputs stay as they were. Biases are made in double and stored as F32;
/// a linear without bias gets "<linear>.bias". Shifts of 0 change nothing. Throws Error(InvalidArgument)
/// naming a site that is none of findActivationShifts(), or an amount that is not finite or negative.
[[nodiscard]] std::shared_ptr<const Model> shifted(
    const Model& model, const std::vector<ActivationShift>& shifts);

/// A shifted model whose biases take back what the quantized weights make of the shifts, not the exact ones:
/// b + a sum_c (W - W^)[:, c]. Weights without a quantizer are exact.
[[nodiscard]] std::shared_ptr<const Model> withShiftsOfQuantizedWeights(
    const Model& model, const std::vector<ActivationShift>& shifts, const ResolvedPlan& quantizers);

} // namespace qs
