# What is found, where, and what to do when it isn't.
include(RefrainTorch)

# An existing libtorch first (Torch_DIR, CMAKE_PREFIX_PATH), else the one in the project's virtual environment.
set(venv ".venv")
if(REFRAIN_CUDA)
  set(venv ".venv-cuda")
endif()
file(GLOB venv_torch "${PROJECT_SOURCE_DIR}/${venv}/lib/python3*/site-packages/torch/share/cmake/Torch")
refrain_locate_torch(REFRAIN_TORCH_DIR ${venv_torch})
if(NOT REFRAIN_TORCH_DIR)
  message(FATAL_ERROR "libtorch was not found.\n"
    "Run 'make setup' (it installs a pinned torch into ${venv}), or point to one that is there:\n"
    "  cmake --preset release -DTorch_DIR=/path/to/libtorch/share/cmake/Torch")
endif()
refrain_torch_version(REFRAIN_TORCH_VERSION "${REFRAIN_TORCH_DIR}")
if(REFRAIN_TORCH_VERSION VERSION_LESS 2.11 OR REFRAIN_TORCH_VERSION VERSION_GREATER_EQUAL 2.16)
  message(FATAL_ERROR "libtorch ${REFRAIN_TORCH_VERSION} in ${REFRAIN_TORCH_DIR} can't be used: 2.11 to 2.15 are "
    "supported.\nPoint Torch_DIR to another one, or run 'make setup' without it.")
endif()
if(REFRAIN_CUDA)
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80 90 CACHE STRING "GPUs to compile for: 80 is Ampere, 90 Hopper")
  endif()
  set(CMAKE_CUDA_STANDARD 17)  # CMake 3.25 knows no later one for nvcc; C++ files stay at 20
  enable_language(CUDA)
endif()

refrain_make_torch_target("${REFRAIN_TORCH_DIR}" "${REFRAIN_CUDA}")
add_library(refrain_torch ALIAS refrain::torch)
message(STATUS "libtorch ${REFRAIN_TORCH_VERSION}: ${REFRAIN_TORCH_DIR}")

# refrain_require(<package> <Debian's package> <arguments of find_package>...): find_package with a remedy.
macro(refrain_require package debian_package)
  find_package(${package} ${ARGN})
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} was not found (wanted: ${package} ${ARGN}).\n"
      "Run 'make setup', or install it: on Debian and Ubuntu it is the package ${debian_package}.")
  endif()
endmacro()

find_package(Threads REQUIRED)
refrain_require(Boost libboost1.81-dev 1.74)  # headers only: Boost.DLL
refrain_require(nlohmann_json nlohmann-json3-dev 3.10)
refrain_require(CLI11 libcli11-dev)
refrain_require(fmt libfmt-dev)
refrain_require(PNG libpng-dev)
refrain_require(JPEG libjpeg-dev)
refrain_require(yaml-cpp libyaml-cpp-dev)
refrain_require(ZLIB zlib1g-dev)
refrain_require(ICU libicu-dev COMPONENTS uc i18n)
find_path(XXHASH_INCLUDE_DIR xxhash.h)
if(NOT XXHASH_INCLUDE_DIR)
  message(FATAL_ERROR "xxhash.h was not found.\n"
    "Run 'make setup', or install it: on Debian and Ubuntu it is in the package libxxhash-dev.")
endif()
find_path(WEBP_INCLUDE_DIR webp/decode.h)
find_library(WEBP_LIBRARY webp)
find_library(WEBPDEMUX_LIBRARY webpdemux)
if(NOT WEBP_INCLUDE_DIR OR NOT WEBP_LIBRARY OR NOT WEBPDEMUX_LIBRARY)
  message(FATAL_ERROR "libwebp was not found.\n"
    "Run 'make setup', or install it: on Debian and Ubuntu it is the package libwebp-dev.")
endif()
add_library(refrain_webp INTERFACE)
target_include_directories(refrain_webp INTERFACE "${WEBP_INCLUDE_DIR}")
target_link_libraries(refrain_webp INTERFACE "${WEBP_LIBRARY}" "${WEBPDEMUX_LIBRARY}")
if(REFRAIN_TESTS)
  refrain_require(GTest libgtest-dev)
  find_path(VALIJSON_INCLUDE_DIR valijson/validator.hpp HINTS "${PROJECT_SOURCE_DIR}/.cache/valijson/usr/include")
  if(NOT VALIJSON_INCLUDE_DIR)
    message(FATAL_ERROR "valijson was not found; the tests check the JSON Schema of workflows with it.\n"
      "Run 'make setup', or install it: on Debian and Ubuntu it is the package libvalijson-dev.")
  endif()
endif()
if(REFRAIN_BENCH)
  refrain_require(benchmark libbenchmark-dev)
endif()
