# qs_options carries language level, warnings and sanitizers; every target of ours links it PRIVATE.
add_library(qs_options INTERFACE)
target_compile_features(qs_options INTERFACE cxx_std_20)
target_compile_options(qs_options INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict> # GCC 12 sees overlaps in std::string that are not there (PR105651)
    -ffp-contract=off # one rounding per operation: results do not depend on which kernel was compiled with FMA
    $<$<BOOL:${QS_WERROR}>:-Werror>)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    target_compile_options(qs_options INTERFACE -march=x86-64-v2)
endif()

if(QS_SANITIZE)
    list(JOIN QS_SANITIZE "," _qs_sanitizers)
    target_compile_options(qs_options INTERFACE -fsanitize=${_qs_sanitizers} -fno-omit-frame-pointer)
    target_link_options(qs_options INTERFACE -fsanitize=${_qs_sanitizers})
endif()

if(QS_BUILD_FUZZERS)
    if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "QS_BUILD_FUZZERS needs clang, whose libFuzzer it uses: cmake --preset fuzz")
    endif()
    target_compile_options(qs_options INTERFACE -fsanitize=fuzzer-no-link -fno-sanitize-recover=all)
endif()

find_program(QS_CCACHE ccache)
if(QS_CCACHE)
    set(CMAKE_C_COMPILER_LAUNCHER ${QS_CCACHE})
    set(CMAKE_CXX_COMPILER_LAUNCHER ${QS_CCACHE})
endif()
# qs_sources(<target> FILE...): adds every .cpp as a source and every .h to the target's header set, so that
# each header is also compiled alone (CMAKE_VERIFY_INTERFACE_HEADER_SETS). Files are listed, never globbed.
function(qs_sources target)
    foreach(_file IN LISTS ARGN)
        if(_file MATCHES "\\.h$")
            target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                FILES ${CMAKE_CURRENT_SOURCE_DIR}/${_file})
        else()
            target_sources(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/${_file})
        endif()
    endforeach()
endfunction()
