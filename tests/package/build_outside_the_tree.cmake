# Installs Refrain, moves the installation, builds nodes/template against it as an author would, runs the template's own
# tests, and runs a workflow with both of its nodes through the installed command.
cmake_minimum_required(VERSION 3.25)

set(work "${REFRAIN_BUILD}/package-test")
set(prefix "${work}/moved")

# run(<what it is> [EXIT code] COMMAND ...): sets `output`; fails with all that was printed on another exit code.
function(run what)
  cmake_parse_arguments(PARSE_ARGV 1 R "" "EXIT" "COMMAND")
  if(NOT DEFINED R_EXIT)
    set(R_EXIT 0)
  endif()
  message(STATUS "${what}")
  execute_process(COMMAND ${R_COMMAND} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output
    WORKING_DIRECTORY "${work}")
  if(NOT code STREQUAL R_EXIT)
    list(JOIN R_COMMAND " " command)
    message(FATAL_ERROR "${what}: exit code ${code}, expected ${R_EXIT}.\n${command}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect text wanted)
  string(FIND "${text}" "${wanted}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "Expected '${wanted}' in:\n${text}")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}/models/checkpoints")

# The installation, in another place than where it was put: nothing in it may know its own path.
run("install" COMMAND ${CMAKE_COMMAND} --install "${REFRAIN_BUILD}" --prefix "${work}/installed")
file(RENAME "${work}/installed" "${prefix}")
run("version" COMMAND "${prefix}/bin/refrain" version)
expect("${output}" "${REFRAIN_VERSION}")

# The template's build gets nothing but the prefix.
run("configure the template" COMMAND ${CMAKE_COMMAND} -S "${REFRAIN_TEMPLATE}" -B "${work}/template" -G "${GENERATOR}"
  "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}" "-DCMAKE_BUILD_TYPE=${BUILD_TYPE}")
file(STRINGS "${work}/template/CMakeCache.txt" found REGEX "^refrain_DIR:")
expect("${found}" "${prefix}/lib/cmake/refrain")
run("build the template" COMMAND ${CMAKE_COMMAND} --build "${work}/template" --parallel 2)
run("the template's own tests" COMMAND ${CMAKE_CTEST_COMMAND} --test-dir "${work}/template" --output-on-failure
  --no-tests=error)

set(nodes "${work}/template")  # both libraries
run("list the libraries"
  COMMAND "${prefix}/bin/refrain" plugins --plugin-path "${nodes}")
expect("${output}" "${nodes}/brightness.so")
expect("${output}" "${nodes}/late_cache.so")
expect("${output}" "${prefix}/lib/refrain/nodes/")

run("make a checkpoint" COMMAND "${prefix}/bin/refrain-make-checkpoint" --size small
  --output "${work}/models/checkpoints/small.safetensors")
set(arguments run "${CMAKE_CURRENT_LIST_DIR}/workflow.json" --models "${work}/models"
  --output-directory "${work}/output")
run("a workflow with both nodes"
  COMMAND "${prefix}/bin/refrain" ${arguments} --plugin-path "${nodes}")
file(GLOB pictures "${work}/output/darker_*.png")
list(LENGTH pictures count)
if(NOT count EQUAL 1)
  message(FATAL_ERROR "Expected one picture in ${work}/output, found: ${pictures}\n${output}")
endif()

run("the same without the nodes" EXIT 2 COMMAND "${prefix}/bin/refrain" ${arguments})
expect("${output}" "Brightness")
expect("${output}" "LateCache")

# A build against another libtorch would be refused at load, so it is refused here already.
file(MAKE_DIRECTORY "${work}/other/share/cmake/Torch")
file(WRITE "${work}/other/share/cmake/Torch/TorchConfig.cmake" "")
file(WRITE "${work}/other/share/cmake/Torch/TorchConfigVersion.cmake" "set(PACKAGE_VERSION 2.10.0)\n")
run("another libtorch" EXIT 1 COMMAND ${CMAKE_COMMAND} -S "${REFRAIN_TEMPLATE}/node" -B "${work}/refused"
  -G "${GENERATOR}" "-DCMAKE_PREFIX_PATH=${prefix}" "-DCMAKE_CXX_COMPILER=${CXX}"
  "-DTorch_DIR=${work}/other/share/cmake/Torch")
expect("${output}" "has")
expect("${output}" "2.10.0")
