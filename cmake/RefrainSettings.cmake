# Language level, warnings, ccache, output folders and rpath: what every target shares.
set(CMAKE_INSTALL_LIBDIR lib)  # everywhere: the command looks for its libraries in ../lib
include(GNUInstallDirs)

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set(oldest_compiler 12)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  set(oldest_compiler 14)
else()
  message(FATAL_ERROR "The compiler ${CMAKE_CXX_COMPILER} (${CMAKE_CXX_COMPILER_ID}) is not supported.\n"
    "Take g++ 12 or clang 14, or newer: CXX=g++ cmake --preset release --fresh")
endif()
if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS oldest_compiler)
  message(FATAL_ERROR "${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION} is too old for this C++20: "
    "${oldest_compiler} is needed.\nName a newer one: CXX=g++-12 cmake --preset release --fresh")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

# The build tree has the layout of an installation, so that the command finds its node libraries in both.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/lib")
set(REFRAIN_NODE_LIBRARY_DIR "lib/refrain/nodes")  # below the prefix, and below the build tree

find_program(REFRAIN_CCACHE ccache)
if(REFRAIN_CCACHE)
  # gcc's precompiled headers are cached only with these kinds of sloppiness.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${REFRAIN_CCACHE})
endif()

# Linked PRIVATE by every target of ours; node authors get what their libraries need from refrain::sdk.
add_library(refrain_options INTERFACE)
# Unique symbols would keep two node libraries with equally named classes from having one each.
target_compile_options(refrain_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wall;-Wextra>"
  "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fno-gnu-unique>")
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # Fires on operator+ of strings, in the standard library's own header (GCC bug 105651).
  target_compile_options(refrain_options INTERFACE "$<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>")
endif()
if(REFRAIN_CCACHE)
  target_compile_options(refrain_options INTERFACE "$<$<COMPILE_LANG_AND_ID:CXX,GNU>:-fpch-preprocess>")
endif()
if(REFRAIN_ASSERTIONS)
  # CMake's release types define NDEBUG; this takes it back, and adds the cheap checks of libstdc++.
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-UNDEBUG>)
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
if(REFRAIN_SANITIZE)
  add_compile_options(-fsanitize=${REFRAIN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${REFRAIN_SANITIZE})
endif()
