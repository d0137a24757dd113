# Prints the sampling times of the demo and the speed-up, out of the report that `refrain run --report` wrote.
# CMake reads JSON and is here anyway; its arithmetic is whole, so milliseconds it is.
#
#   cmake -D REPORT=report.json -P summary.cmake

file(READ "${REPORT}" report)

# The records of the last run.
string(JSON runs LENGTH "${report}" runs)
math(EXPR last "${runs} - 1")
string(JSON records GET "${report}" runs ${last} report records)

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

# Sums over the sampling runs of the nodes titled "`branch` 1", "`branch` 2" and so on: ms_, macs_ and policy_`branch`.
function(add_up branch)
  set(ms 0)
  set(macs 0)
  string(JSON count LENGTH "${records}")
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON title GET "${records}" ${i} title)
    if(title MATCHES "^${branch} [0-9]+$")
      string(JSON record GET "${records}" ${i} record)
      string(JSON milliseconds GET "${record}" milliseconds)
      string(JSON multiplied GET "${record}" macs)
      string(JSON policy GET "${record}" policy)
      whole("${milliseconds}" milliseconds)
      whole("${multiplied}" multiplied)
      math(EXPR ms "${ms} + ${milliseconds}")
      math(EXPR macs "${macs} + ${multiplied}")
      set(policy_${branch} "${policy}" PARENT_SCOPE)
    endif()
  endforeach()
  if(ms EQUAL 0)
    message(FATAL_ERROR "${REPORT} has no sampling record of a node titled \"${branch} 1\".")
  endif()
  math(EXPR hundredths "${ms} / 10")
  decimal(${hundredths} seconds)
  set(ms_${branch} ${ms} PARENT_SCOPE)
  set(macs_${branch} ${macs} PARENT_SCOPE)
  set(seconds_${branch} ${seconds} PARENT_SCOPE)
endfunction()

add_up(Uncached)
add_up(DeepCache)
ratio(${ms_Uncached} ${ms_DeepCache} speed_up)
ratio(${macs_Uncached} ${macs_DeepCache} ideal)

execute_process(COMMAND "${CMAKE_COMMAND}" -E echo "
sampling without cache   ${seconds_Uncached} s
sampling with DeepCache  ${seconds_DeepCache} s   (${policy_DeepCache})
speed-up                 ${speed_up}      (of ${ideal} that the saved multiplications allow)")
