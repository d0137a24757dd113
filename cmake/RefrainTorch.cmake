# libtorch as the target refrain::torch. Used by this build and, installed beside refrainConfig.cmake, by that of
# every node author, so that both find and check it in the same way.

# Sets `result` to the folder of libtorch's CMake files: Torch_DIR, then CMAKE_PREFIX_PATH, then `hints`; or to "".
function(refrain_locate_torch result)
  set(candidates ${Torch_DIR} $ENV{Torch_DIR})
  cmake_path(CONVERT "$ENV{CMAKE_PREFIX_PATH}" TO_CMAKE_PATH_LIST environment_prefixes)
  foreach(prefix IN LISTS CMAKE_PREFIX_PATH environment_prefixes)
    list(APPEND candidates "${prefix}/share/cmake/Torch" "${prefix}/Torch" "${prefix}/lib/cmake/Torch")
  endforeach()
  set(${result} "" PARENT_SCOPE)
  foreach(folder IN LISTS candidates ARGN)
    if(EXISTS "${folder}/TorchConfig.cmake")
      cmake_path(ABSOLUTE_PATH folder NORMALIZE)
      set(${result} "${folder}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
endfunction()

# The version of the libtorch whose CMake files are in `folder`.
function(refrain_torch_version result folder)
  set(PACKAGE_VERSION 0)
  include("${folder}/TorchConfigVersion.cmake" OPTIONAL)
  set(${result} "${PACKAGE_VERSION}" PARENT_SCOPE)
endfunction()

# Makes refrain::torch of the libtorch whose CMake files are in `folder`: the headers, and the libraries that we call.
#
# TorchConfig.cmake is not asked: it wants a whole CUDA toolkit as soon as libtorch was built with CUDA, even where only
# its CPU part is used, runs programs while configuring, and warns about libraries that nobody needs.
function(refrain_make_torch_target folder cuda)
  if(TARGET refrain::torch)
    return()
  endif()
  cmake_path(CONVERT "${folder}/../../.." TO_CMAKE_PATH_LIST prefix NORMALIZE)
  set(parts c10 torch_cpu)
  set(include_dirs "${prefix}/include" "${prefix}/include/torch/csrc/api/include")
  set(libraries refrain::c10 refrain::torch_cpu)
  if(cuda)
    list(APPEND parts c10_cuda torch_cuda)
    # ATen's CUDA headers include those of the CUDA libraries, which pip installs beside torch, and these some of nvcc.
    find_path(REFRAIN_NVCC_INCLUDE_DIR crt/host_config.h
      HINTS ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES} "$ENV{CUDA_HOME}/include" /usr/local/cuda/include)
    if(NOT REFRAIN_NVCC_INCLUDE_DIR)
      message(FATAL_ERROR "The headers of CUDA's compiler (crt/host_config.h) were not found.\n"
        "Install the CUDA toolkit, and set CUDA_HOME to its folder if that isn't /usr/local/cuda.")
    endif()
    file(GLOB cuda_include_dirs "${prefix}/../nvidia/*/include")
    file(GLOB cuda_runtime "${prefix}/../nvidia/*/lib/libcudart.so.*")
    list(PREPEND cuda_include_dirs "${REFRAIN_NVCC_INCLUDE_DIR}")
    if(NOT cuda_runtime)  # a libtorch that wasn't installed by pip
      find_package(CUDAToolkit REQUIRED)
      set(cuda_runtime CUDA::cudart)
    endif()
    list(APPEND include_dirs ${cuda_include_dirs})
    # No symbol of torch_cuda is called, but its kernels register themselves when it is loaded.
    list(APPEND libraries refrain::c10_cuda ${cuda_runtime}
      -Wl,--push-state,--no-as-needed "${prefix}/lib/libtorch_cuda.so" -Wl,--pop-state)
  endif()

  foreach(part IN LISTS parts)
    set(file "${prefix}/lib/lib${part}.so")
    if(NOT EXISTS "${file}")
      if(part MATCHES "cuda" AND EXISTS "${prefix}/lib/libtorch_cpu.so")
        message(FATAL_ERROR "The libtorch in ${prefix} was built without CUDA.\n"
          "Run 'make cuda' (it installs one into .venv-cuda), or point Torch_DIR to a CUDA libtorch.")
      endif()
      message(FATAL_ERROR "The libtorch in ${prefix} is damaged: lib/lib${part}.so is missing.\n"
        "Install it again: remove its folder (or run 'make distclean'), then 'make setup'.")
    endif()
    add_library(refrain::${part} SHARED IMPORTED GLOBAL)
    set_target_properties(refrain::${part} PROPERTIES IMPORTED_LOCATION "${file}")
  endforeach()

  add_library(refrain::torch INTERFACE IMPORTED GLOBAL)
  # One header for each operator instead of one for all of them: a third of the compile time.
  target_compile_definitions(refrain::torch INTERFACE AT_PER_OPERATOR_HEADERS)
  target_include_directories(refrain::torch INTERFACE ${include_dirs})
  target_link_libraries(refrain::torch INTERFACE ${libraries})
endfunction()
