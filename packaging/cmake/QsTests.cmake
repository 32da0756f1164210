# Real models and images beside the checkout: tests that need them exist only where they do.
get_filename_component(QS_SHARED_DATA "${PROJECT_SOURCE_DIR}/../shared/data" ABSOLUTE)
if(NOT EXISTS "${QS_SHARED_DATA}/models")
    set(QS_SHARED_DATA "")
endif()

# qs_add_test(<name> <source> [LIBS ...] [LABEL unit|qt|golden|shared] [TIMEOUT s]): one Qt Test program = one ctest.
# Compile-time paths: QS_TEST_DATA (tests/data), QS_DEMO (resources/demo), QS_SHARED_DATA ("" where absent).
function(qs_add_test name source)
    cmake_parse_arguments(ARG "" "LABEL;TIMEOUT" "LIBS" ${ARGN})
    if(NOT ARG_LABEL)
        set(ARG_LABEL unit)
    endif()
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 300)
    endif()
    add_executable(${name} ${source})
    set_target_properties(${name} PROPERTIES AUTOMOC ON)
    target_link_libraries(${name} PRIVATE Qt6::Test qs::core qs_options ${ARG_LIBS})
    target_compile_definitions(${name} PRIVATE
        QS_TEST_DATA="${PROJECT_SOURCE_DIR}/tests/data"
        QS_DEMO="${PROJECT_SOURCE_DIR}/resources/demo"
        QS_SHARED_DATA="${QS_SHARED_DATA}")
    add_test(NAME ${ARG_LABEL}.${name} COMMAND ${name})
    set_tests_properties(${ARG_LABEL}.${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT}
        ENVIRONMENT "QT_QPA_PLATFORM=offscreen;LC_ALL=C.UTF-8")
endfunction()
