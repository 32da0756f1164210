/// Runs a fuzz target without libFuzzer: every file of the corpus, then a fixed sequence of changed ones. A
/// crash, an exception other than a refusal, an allocation of half a gigabyte or ten seconds of work on one
/// input fail, and leave the input in "finding-PROGRAM".

#include "core/base/error.h"
#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv);

namespace {

constexpr int kSecondsPerInput = 10;
constexpr std::size_t kLongest = 65536;
#ifndef __SANITIZE_ADDRESS__
constexpr std::size_t kAllowance = std::size_t {512}
    << 20; // bytes of address space beyond those at the start
#endif

// For the signal handler, which can be given nothing.
const std::string* g_input = nullptr;
const char* g_findingFile = nullptr;

void saveFinding(int signal)
{
    const int file = ::open(g_findingFile, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file >= 0 && g_input != nullptr) {
        [[maybe_unused]] const auto written = ::write(file, g_input->data(), g_input->size());
        ::close(file);
    }
    constexpr std::string_view kHint = "the input was saved as finding-*\n";
    [[maybe_unused]] const auto said = ::write(STDERR_FILENO, kHint.data(), kHint.size());
    std::signal(signal, SIG_DFL);
    std::raise(signal);
}

std::vector<std::string> contentsOf(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> contents;
    for (const std::filesystem::path& path : paths) {
        std::ifstream stream(path, std::ios::binary);
        contents.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
    }
    return contents;
}

/// Sends SIGPROF after so many seconds of processor time; 0: never. A busy machine makes no findings.
void setTimer(int seconds)
{
    itimerval timer {};
    timer.it_value.tv_sec = seconds;
    ::setitimer(ITIMER_PROF, &timer, nullptr);
}

void runOn(const std::string& input)
{
    g_input = &input;
    setTimer(kSecondsPerInput);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    setTimer(0);
}

void limitMemory()
{
#ifndef __SANITIZE_ADDRESS__ // which maps terabytes for itself
    std::size_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit {};
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) + kAllowance;
    setrlimit(RLIMIT_AS, &limit);
#endif
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 4) {
        std::fprintf(stderr, "usage: %s CORPUS-FOLDER DICTIONARY MUTATIONS\n", argv[0]);
        return 2;
    }
    const std::string findingFile = "finding-" + std::filesystem::path(argv[0]).filename().string();
    g_findingFile = findingFile.c_str();
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGPROF}) {
        std::signal(signal, saveFinding);
    }
    const std::vector<std::string> corpus = contentsOf(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "'%s' holds no inputs\n", argv[1]);
        return 2;
    }
    LLVMFuzzerInitialize(&argc, &argv);
    limitMemory();
    for (const std::string& input : corpus) {
        runOn(input);
    }
    qs::fuzz::Mutator mutator(qs::fuzz::readDictionary(argv[2]), 1);
    const int mutations = std::atoi(argv[3]);
    for (int i = 0; i < mutations; ++i) {
        const auto index = static_cast<std::size_t>(i);
        const std::string& other = corpus[(index / corpus.size() + index) % corpus.size()];
        runOn(mutator.mutated(corpus[index % corpus.size()], other, kLongest));
    }
    std::printf("%zu inputs and %d changed ones\n", corpus.size(), mutations);
    return 0;
}
