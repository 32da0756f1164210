#pragma once

#include "core/runtime/step.h"

#include <memory>
#include <optional>
#include <vector>

namespace qs {

/// The steps of one attention: MatMul of query and transposed key, an optional product with or division by a
/// constant, Softmax over the last axis, MatMul with the value; between them at most the observation and the
/// transform of the probabilities.
struct AttentionParts
{
    std::unique_ptr<NodeStep> scores;
    std::unique_ptr<NodeStep> scale; ///< Mul or Div; may be null
    std::unique_ptr<NodeStep> softmax;
    std::unique_ptr<ObserveStep> observe; ///< may be null
    std::unique_ptr<TransformStep> transform; ///< may be null
    std::unique_ptr<NodeStep> context;
};

/// Runs an attention head by head and block of rows by block of rows while scores and probabilities are in
/// the cache. Query, key and value are read by their strides, straight out of a packed qkv product. The
/// probabilities of all heads are kept only when somebody else sees them. Operands of other shapes run step
/// by step.
class AttentionStep : public Step
{
public:
    /// keepsProbabilities: their slot is read by other steps or fetched.
    enum class Probabilities { Private, Visible };

    AttentionStep(AttentionParts parts, Probabilities probabilities);

    void run(Frame& frame) const override;
    [[nodiscard]] std::vector<Slot> reads() const override;
    [[nodiscard]] std::vector<Slot> writes() const override;
    [[nodiscard]] std::string name() const override;

private:
    struct Operands;
    class Heads;

    [[nodiscard]] std::optional<Operands> operandsOf(const Frame& frame) const;
    void runFused(Frame& frame, const Operands& operands) const;
    void runOneByOne(Frame& frame) const;

    AttentionParts m_parts;
    Probabilities m_probabilities;
};

} // namespace qs
