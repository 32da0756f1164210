#pragma once

#include "core/models/model.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace qs {

/// Number of token ids the graph's first input may hold: rows of the table that is looked up with it. Nothing
/// when no such table is found.
[[nodiscard]] std::optional<std::int64_t> vocabularyOf(const Graph& graph);

/// What a graph's output means, told from inputs and outputs alone: integers [N, T] that give [N, T, V], V
/// being the vocabulary where that is known, are a language model, unless there are token types (an encoder);
/// [N, C] is classification, as is anything whose form is not known; other outputs are features.
[[nodiscard]] ModelTask taskOf(const Graph& graph);

/// The folder of the model's files: the directory, or the one the file lies in.
[[nodiscard]] std::filesystem::path folderOf(const Model& model);

/// Largest number of tokens a model takes at once, from its config.json; 0 where that does not say. Throws
/// Error as ConfigReader does.
[[nodiscard]] std::int64_t mostTokensOf(const Model& model);

/// Class names in output order from labels.txt in the model's folder, one a line; empty where there is none.
/// Throws Error: Io, CorruptFile when their number is not that of the classes (0 = unknown).
[[nodiscard]] std::vector<std::string> classNamesOf(const Model& model, std::int64_t classes);

} // namespace qs
