#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compiles what the SDK's macros must accept, under all warnings, and what they must refuse, with their own
# message.
#
#   compile_test.sh INCLUDE_DIR COMPILER...      a compiler whose name has ++ in it is given C++
#
# Prints one line a check that failed, and a count; exits 1 if any did.
set -u
paths="-I$1 -I$1/glint_guest" # a directory without blanks
shift
here=$(dirname "$0")
warnings="-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror"
checks=0
failures=0

fail() {
  failures=$((failures + 1))
  echo "FAILED: $*"
}

# accepted COMPILER FLAGS FILE
accepted() {
  checks=$((checks + 1))
  # $1, $2 and the like are words to be split
  message=$($1 $2 $warnings $paths -c -o /dev/null "$here/$3" 2>&1) || fail "$1 $2 refuses $3: $message"
}

# refused COMPILER FLAGS CASE MESSAGE
refused() {
  checks=$((checks + 1))
  if message=$($1 $2 -DCASE="$3" $paths -c -o /dev/null "$here/refused.h" 2>&1); then
    fail "$1 $2 accepts case $3 of refused.h"
  else
    case $message in
      *"$4"*) ;;
      *) fail "$1 $2, case $3: '$4' is not in: $message" ;;
    esac
  fi
}

for compiler; do
  case $compiler in
    *++*)
      language="-x c++"
      standards="c++17 c++20"
      more="-Wold-style-cast -Wnon-virtual-dtor"
      ;;
    *)
      language="-x c"
      standards="c11 c17 gnu11"
      more="-Wstrict-prototypes -Wmissing-prototypes"
      ;;
  esac
  for standard in $standards; do
    for position in -fPIE -fno-pie; do
      accepted "$compiler" "$language -std=$standard $more $position" adder.c
      accepted "$compiler" "$language -std=$standard $more $position" all_types.c
    done
  done
  set -- $standards
  flags="$language -std=$1"
  checks=$((checks + 1))
  $compiler $flags $warnings -DCASE=0 $paths -c -o /dev/null "$here/refused.h" || fail "$compiler refuses case 0"
  for number in 1 2 3 4 5 6 7 8 9 10; do
    refused "$compiler" "$flags" $number "fixed-width types"
  done
  refused "$compiler" "$flags" 11 "at most 63 bytes"
  refused "$compiler" "$flags" 12 "at_most_32_parameters"
done
echo "$((checks - failures)) passed, $failures failed"
[ "$failures" -eq 0 ]
