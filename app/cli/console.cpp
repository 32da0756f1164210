#include "app/cli/console.h"

#include <cmath>
#include <csignal>
#include <cstdio>
#include <iostream>
#include <unistd.h>

namespace qs {

namespace {

std::stop_source& interruption()
{
    static std::stop_source source;
    return source;
}

volatile std::sig_atomic_t interrupted = 0;

void onInterrupt(int)
{
    if (interrupted != 0) {
        ::_exit(1); // a second Ctrl-C does not wait
    }
    interrupted = 1;
}

} // namespace

Console::Console()
    : m_terminal(::isatty(STDERR_FILENO) != 0)
{
    interruption(); // made before a signal can come
    std::signal(SIGINT, onInterrupt);
    std::signal(SIGTERM, onInterrupt);
}

TaskContext Console::context()
{
    return {interruption().get_token(), [this](const Progress& progress) { show(progress); }};
}

void Console::note(const std::string& text)
{
    if (m_lineOpen) {
        std::cerr << '\n';
        m_lineOpen = false;
    }
    std::cerr << text << '\n';
}

void Console::show(const Progress& progress)
{
    if (interrupted != 0) {
        interruption().request_stop();
    }
    if (m_terminal) {
        std::cerr << '\r' << progress.stage << ' ' << progress.done << " of " << progress.total << "\x1b[K"
                  << std::flush;
        m_lineOpen = true;
    } else if (m_stages.insert(progress.stage).second) { // a line a stage, however often it comes back
        std::cerr << progress.stage << " (" << progress.total << ")\n";
    }
    if (m_terminal && progress.done >= progress.total) {
        std::cerr << '\n';
        m_lineOpen = false;
    }
}

std::string fixed(double value, int digits)
{
    if (std::isnan(value)) {
        return "nan";
    }
    if (std::isinf(value)) {
        return value > 0 ? "inf" : "-inf";
    }
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, value);
    return text;
}

} // namespace qs
