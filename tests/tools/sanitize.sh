#!/bin/sh
# Runs tests with kernels that check what they touch, in a copy of the tree: the installed build stays as it is.
#
#   sh tests/tools/sanitize.sh bounds  [pytest arguments]    every access to a memoryview is checked
#   sh tests/tools/sanitize.sh address [pytest arguments]    AddressSanitizer: every access of the C kernels (GCC, Linux)
#
# Without arguments pytest runs tests/ext and tests/nnlite. PYTHON names another interpreter than `python`. The build takes
# two or three minutes; it lies in build/bounds or build/address.
set -eu

mode=${1:?bounds or address}
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
copy=$root/build/$mode
python=${PYTHON:-python}

case $mode in
    bounds) switch=NNLITE_BOUNDSCHECK ;;
    address) switch=NNLITE_SANITIZE ;;
    *) echo "the first argument is bounds or address, not $mode" >&2; exit 2 ;;
esac

[ $# -gt 0 ] || set -- tests/ext tests/nnlite

rm -rf "$copy"
mkdir -p "$copy"
cd "$root"
cp -R ext nnlite rl tests bench docs setup.py pyproject.toml README.md LICENSE "$copy"
cd "$copy"
rm -f ext/*.so ext/*.c
ln -s ext nnlite_ext # the name under which an installed package would be found
env "$switch=1" "$python" setup.py -q build_ext --inplace

export PYTHONPATH="$copy" OMP_NUM_THREADS=1
if [ "$mode" = address ]; then
    # Python's own allocator hands out parts of large blocks, inside which nothing would be noticed
    export PYTHONMALLOC=malloc ASAN_OPTIONS=detect_leaks=0
    # libstdc++ beside it, else the first exception that a C++ library throws ends all; --capture=sys lets its report be seen
    LD_PRELOAD="$(${CC:-gcc} -print-file-name=libasan.so) $(${CC:-gcc} -print-file-name=libstdc++.so.6)"
    export LD_PRELOAD
    set -- --capture=sys -k "not in_a_browser" "$@" # Chromium has an allocator of its own
fi
exec "$python" -m pytest -q "$@"
