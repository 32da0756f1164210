#pragma once

#include "core/base/task_context.h"

#include <set>
#include <stop_token>
#include <string>

namespace qs {

/// The command line's side of a task: progress on standard error (one rewritten line on a terminal, otherwise
/// a line per stage), Ctrl-C as the stop token. Results go to standard output, never through here.
class Console
{
public:
    Console();

    [[nodiscard]] TaskContext context();
    /// A message on standard error, on a line of its own.
    void note(const std::string& text);

private:
    void show(const Progress& progress);

    bool m_terminal;
    bool m_lineOpen = false;
    std::set<std::string> m_stages; ///< already told
};

/// A number for people: fixed with `digits` decimals, "inf" and "nan" spelled out.
[[nodiscard]] std::string fixed(double value, int digits);

} // namespace qs
