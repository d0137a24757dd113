# refrain_add_node_library(<name> <source>... [DEVICE cuda])
#
# A shared library of nodes, <name>.so, for us and for authors outside the tree: links refrain::sdk and sets what a
# node library needs. Link further libraries with target_link_libraries(<name> PRIVATE ...).
#   DEVICE cuda   the library can't do without a CUDA libtorch; the loader refuses it on another one
function(refrain_add_node_library name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "DEVICE" "")
  set(sources ${ARG_UNPARSED_ARGUMENTS})
  if(NOT sources)
    message(FATAL_ERROR "refrain_add_node_library(${name}): it has no source. Name at least one .cpp file.")
  endif()
  foreach(source IN LISTS sources)
    get_filename_component(file "${source}" ABSOLUTE)
    get_source_file_property(generated "${source}" GENERATED)
    if(NOT generated AND NOT EXISTS "${file}")
      message(FATAL_ERROR "refrain_add_node_library(${name}): the source '${source}' does not exist (${file}).")
    endif()
  endforeach()
  if(ARG_DEVICE AND NOT ARG_DEVICE STREQUAL "cuda")
    message(FATAL_ERROR "refrain_add_node_library(${name}): DEVICE is 'cuda' or not given, not '${ARG_DEVICE}'.")
  endif()

  add_library(${name} MODULE ${sources})
  target_compile_features(${name} PRIVATE cxx_std_20)
  target_link_libraries(${name} PRIVATE refrain::sdk)
  # torch's single-operator headers: a node that includes ATen/ops/xyz.h alone compiles in a third of the time.
  target_compile_definitions(${name} PRIVATE AT_PER_OPERATOR_HEADERS)
  if(ARG_DEVICE)
    target_compile_definitions(${name} PRIVATE "REFRAIN_STAMP_DEVICE=\"${ARG_DEVICE}\"")
  endif()
  # Classes of equal names in two libraries must stay two: nothing but the record is visible.
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    target_compile_options(${name} PRIVATE -fno-gnu-unique)
  endif()
  # Values may be freed after their library would have been closed, so it stays. An undefined symbol is a link error
  # here rather than a refusal at load; a sanitizer's runtime, though, is found only then.
  target_link_options(${name} PRIVATE -Wl,-z,nodelete)
  if(NOT "${CMAKE_CXX_FLAGS} ${REFRAIN_SANITIZE}" MATCHES "sanitize|address|thread")
    target_link_options(${name} PRIVATE -Wl,-z,defs)
  endif()

  if(TARGET refrain_options)
    target_link_libraries(${name} PRIVATE refrain_options)
  endif()
  # Set in Refrain's own tree, which has the layout of an installation: bin/refrain finds ../lib/refrain/nodes.
  if(REFRAIN_NODE_LIBRARY_DIR)
    set_target_properties(${name} PROPERTIES
      LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/${REFRAIN_NODE_LIBRARY_DIR}" INSTALL_RPATH "$ORIGIN/../..")
    install(TARGETS ${name} LIBRARY DESTINATION "${REFRAIN_NODE_LIBRARY_DIR}")
  elseif(NOT CMAKE_LIBRARY_OUTPUT_DIRECTORY)
    # All in one place, for `refrain run --plugin-path <build folder>`.
    set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}")
  endif()
endfunction()
