# Prints the sampling times of the demo and the speed-up, out of the report that `refrain run --report` wrote.
# CMake reads JSON and is here anyway; its arithmetic is whole, so milliseconds it is.
#
#   cmake -D REPORT=report.json -P summary.cmake

file(READ "${REPORT}" report)

# The record of the sampling run of the node titled `title`, out of the last run.
function(find_sampling title out)
  string(JSON runs LENGTH "${report}" runs)
  math(EXPR last "${runs} - 1")
  string(JSON records GET "${report}" runs ${last} report records)
  string(JSON count LENGTH "${records}")
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON found GET "${records}" ${i} title)
    if(found STREQUAL title)
      string(JSON record GET "${records}" ${i} record)
      set(${out} "${record}" PARENT_SCOPE)
      return()
    endif()
  endforeach()
  message(FATAL_ERROR "${REPORT} has no sampling record of the node \"${title}\".")
endfunction()

# `number` without its decimals.
function(whole number out)
  string(REGEX REPLACE "\\..*" "" number "${number}")
  set(${out} "${number}" PARENT_SCOPE)
endfunction()

# hundredths -> "2.31"
function(decimal hundredths out)
  math(EXPR units "${hundredths} / 100")
  math(EXPR rest "${hundredths} % 100")
  if(rest LESS 10)
    set(rest "0${rest}")
  endif()
  set(${out} "${units}.${rest}" PARENT_SCOPE)
endfunction()

# out = numerator / denominator with two decimals
function(ratio numerator denominator out)
  if(denominator EQUAL 0)
    set(${out} "?" PARENT_SCOPE)
    return()
  endif()
  math(EXPR hundredths "${numerator} * 100 / ${denominator}")
  decimal(${hundredths} text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

foreach(branch Uncached DeepCache)
  find_sampling("${branch}" record)
  string(JSON policy_${branch} GET "${record}" policy)
  string(JSON milliseconds GET "${record}" milliseconds)
  string(JSON macs GET "${record}" macs)
  whole("${milliseconds}" ms_${branch})
  whole("${macs}" macs_${branch})
  math(EXPR hundredths "${ms_${branch}} / 10")
  decimal(${hundredths} seconds_${branch})
endforeach()
ratio(${ms_Uncached} ${ms_DeepCache} speed_up)
ratio(${macs_Uncached} ${macs_DeepCache} ideal)

execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "
sampling without cache   ${seconds_Uncached} s
sampling with DeepCache  ${seconds_DeepCache} s   (${policy_DeepCache})
speed-up                 ${speed_up}      (of ${ideal} that the saved multiplications allow)")
