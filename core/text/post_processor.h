#pragma once

#include "core/io/json_reader.h"

#include <cstdint>
#include <vector>

namespace qs {

/// The special tokens a sequence stands between.
struct SequenceFrame
{
    std::vector<std::int32_t> before;
    std::vector<std::int32_t> after;
};

/// Reads the "post_processor" of a tokenizer.json for single sequences: TemplateProcessing, BertProcessing,
/// RobertaProcessing, ByteLevel (which adds nothing) and Sequence of them. Throws Error(Unsupported) naming
/// another type, Error(CorruptFile) naming the value.
[[nodiscard]] SequenceFrame readPostProcessor(const JsonReader& json);

} // namespace qs
