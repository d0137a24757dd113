# Test and benchmark programs.
include(GoogleTest)

# refrain_add_test(NAME name SOURCES a.cpp ... LIBRARIES refrain_graph ... [LABELS gpu] [TIMEOUT s])
# One test program; every TEST in it becomes a test of ctest. The label `gpu` says that it needs a GPU, `long` that it
# takes minutes; both are left out of the default run.
function(refrain_add_test)
  cmake_parse_arguments(T "" "NAME;TIMEOUT" "SOURCES;LIBRARIES;LABELS" ${ARGN})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  if(REFRAIN_SANITIZE)
    math(EXPR T_TIMEOUT "${T_TIMEOUT} * 10")  # everything is several times slower there
  endif()
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME} PRIVATE refrain_options ${T_LIBRARIES} GTest::gtest GTest::gmock GTest::gtest_main)
  target_include_directories(${T_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/graph-runtime" "${PROJECT_SOURCE_DIR}/tests")
  set_target_properties(${T_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  # One thread each: ctest runs several at a time, and OpenMP's threads spin while they wait for a busy core.
  set(properties TIMEOUT ${T_TIMEOUT} ENVIRONMENT "OMP_NUM_THREADS=1")
  if(T_LABELS)  # an empty value would vanish on the way and take the next property's name for itself
    list(APPEND properties LABELS "${T_LABELS}")
  endif()
  gtest_discover_tests(${T_NAME} DISCOVERY_MODE PRE_TEST PROPERTIES ${properties})
endfunction()

# refrain_add_benchmark(NAME name SOURCES a.cpp ... LIBRARIES refrain_execution ...)
# One program that measures and prints; `make bench` runs them all, in the order of their names.
function(refrain_add_benchmark)
  if(NOT REFRAIN_BENCH)
    return()
  endif()
  cmake_parse_arguments(B "" "NAME" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${B_NAME} ${B_SOURCES})
  target_link_libraries(${B_NAME} PRIVATE refrain_options ${B_LIBRARIES} benchmark::benchmark)
  target_include_directories(${B_NAME} PRIVATE "${PROJECT_SOURCE_DIR}/graph-runtime" "${PROJECT_SOURCE_DIR}/tests")
  set_target_properties(${B_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bench")
  set_property(GLOBAL APPEND PROPERTY REFRAIN_BENCHMARKS ${B_NAME})
endfunction()
