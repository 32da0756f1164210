#pragma once

#include "core/runtime/step.h"

#include <memory>
#include <vector>

namespace qs {

/// A chain of operators that treat every row of [..., D] alone (LayerNormalization, Linear, Gelu, residual
/// additions, transforms), run block of rows by block of rows, so that what lies between them stays in the
/// cache and only what others read is written out. Where operands turn out not to have the same rows, the
/// steps run one by one.
class RowGroupStep : public Step
{
public:
    /// parts: steps that canStart() and canJoin() accepted, in order. visible: those of their slots that
    /// others read.
    RowGroupStep(std::vector<std::unique_ptr<Step>> parts, std::vector<Slot> visible);

    void run(Frame& frame) const override;
    [[nodiscard]] std::vector<Slot> reads() const override;
    [[nodiscard]] std::vector<Slot> writes() const override { return m_visible; }
    [[nodiscard]] std::string name() const override;

    /// True when the step can begin a chain.
    [[nodiscard]] static bool canStart(const Step& step);
    /// True when the step can follow in a chain that makes the slots in `made`.
    [[nodiscard]] static bool canJoin(const Step& step, const std::vector<Slot>& made);

private:
    void runOneByOne(Frame& frame) const;

    std::vector<std::unique_ptr<Step>> m_parts;
    std::vector<Slot> m_visible;
};

} // namespace qs
