# What is installed, and the package files that find_package(refrain) reads. The layout below the prefix is that of the
# build tree: bin/refrain finds ../lib/refrain/nodes and ../share/refrain in both, and the whole can be moved.
include(CMakePackageConfigHelpers)

# All targets of a folder of ours and of those below it.
function(refrain_targets_below result folder)
  get_property(found DIRECTORY "${folder}" PROPERTY BUILDSYSTEM_TARGETS)
  get_property(folders DIRECTORY "${folder}" PROPERTY SUBDIRECTORIES)
  foreach(below IN LISTS folders)
    refrain_targets_below(more "${below}")
    list(APPEND found ${more})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# refrain_set_rpath(<target> <folder of our libraries as seen from the target's>)
# libtorch stays where it was found. CMake's own INSTALL_RPATH_USE_LINK_PATH leaves it out when it is below the source
# tree, where the project's virtual environment is.
function(refrain_set_rpath target folder)
  set_property(TARGET ${target} PROPERTY INSTALL_RPATH "${folder}" "${REFRAIN_TORCH_LIBRARY_DIR}")
endfunction()

cmake_path(CONVERT "${REFRAIN_TORCH_DIR}/../../../lib" TO_CMAKE_PATH_LIST REFRAIN_TORCH_LIBRARY_DIR NORMALIZE)
refrain_targets_below(targets "${PROJECT_SOURCE_DIR}/nodes")
refrain_targets_below(runtime_targets "${PROJECT_SOURCE_DIR}/graph-runtime")
list(APPEND targets ${runtime_targets} refrain_sdk)

# What runs a workflow, without tests and benchmarks: plain `make` builds it.
add_custom_target(refrain_runtime)
foreach(target IN LISTS targets)
  get_target_property(type ${target} TYPE)
  get_target_property(folder ${target} LIBRARY_OUTPUT_DIRECTORY)
  if(type STREQUAL "EXECUTABLE")
    refrain_set_rpath(${target} "$ORIGIN/../lib")
    install(TARGETS ${target} RUNTIME DESTINATION bin)
  elseif(target MATCHES "^refrain_(sdk|diffusion)$")
    refrain_set_rpath(${target} "$ORIGIN")
    target_compile_features(${target} PUBLIC cxx_std_20)
    set_target_properties(${target} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR})
    install(TARGETS ${target} EXPORT refrainTargets LIBRARY DESTINATION lib)
  elseif(folder STREQUAL "${CMAKE_BINARY_DIR}/${REFRAIN_NODE_LIBRARY_DIR}")
    refrain_set_rpath(${target} "$ORIGIN/../..")  # refrain_add_node_library installs it
  else()
    continue()  # static parts of the others
  endif()
  add_dependencies(refrain_runtime ${target})
endforeach()

get_property(benchmarks GLOBAL PROPERTY REFRAIN_BENCHMARKS)
add_custom_target(refrain_bench)
add_dependencies(refrain_bench refrain_runtime ${benchmarks})

install(DIRECTORY plugin/sdk/include/ nodes/diffusion/include/ DESTINATION include FILES_MATCHING PATTERN "*.hpp")
install(FILES ${REFRAIN_VOCABULARY_FILES} DESTINATION share/refrain)
install(FILES LICENSE DESTINATION share/doc/refrain)

set(package_dir lib/cmake/refrain)
install(EXPORT refrainTargets NAMESPACE refrain:: DESTINATION ${package_dir})
configure_package_config_file(cmake/refrainConfig.cmake.in "${CMAKE_BINARY_DIR}/package/refrainConfig.cmake"
  INSTALL_DESTINATION ${package_dir} PATH_VARS REFRAIN_NODE_LIBRARY_DIR)
# Before 1.0 each minor version may break the source.
write_basic_package_version_file("${CMAKE_BINARY_DIR}/package/refrainConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_BINARY_DIR}/package/refrainConfig.cmake" "${CMAKE_BINARY_DIR}/package/refrainConfigVersion.cmake"
  cmake/RefrainTorch.cmake DESTINATION ${package_dir})
install(DIRECTORY plugin/sdk/cmake/ DESTINATION ${package_dir} FILES_MATCHING PATTERN "*.cmake")
