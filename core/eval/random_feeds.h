#pragma once

#include "core/models/model.h"
#include "core/runtime/executor.h"

#include <cstdint>
#include <vector>

namespace qs {

/// Tokens of a sequence whose length the model leaves open.
inline constexpr std::int64_t kRandomTokens = 128;

/// One batch for every input of the model, the same for the same seed: floats of the standard normal
/// distribution; token ids spread evenly over the rows of the table that the input is looked up in; 1 for
/// other integers and truth values, as in a mask without padding. An open first dimension is the batch, other
/// open ones are kRandomTokens. Throws Error(Unsupported) when an input's rank is not known.
[[nodiscard]] std::vector<Feed> randomFeeds(const Model& model, std::int64_t batch, unsigned seed);

/// True when the model's first input holds token ids, [N, T].
[[nodiscard]] bool readsTokens(const Model& model);

} // namespace qs
