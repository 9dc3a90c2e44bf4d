#!/bin/sh
# stage_node.sh SOURCE STAGE [PREBUILT]: puts dist/, node_modules/, bin/ and models/ of the node into STAGE.
set -eu
source=$1 stage=$2
# That of the environment first: CMake keeps the one of the first configure.
prebuilt=${VPR_PREBUILT:-${3:-}}

rm -rf "$stage/dist" "$stage/src" "$stage/bin" "$stage/models"
mkdir -p "$stage/models"
cp -R "$source/bin" "$stage/"
[ ! -d "$source/models/default" ] || cp -R "$source/models/default" "$stage/models/"

if [ -n "$prebuilt" ]; then
  for part in dist/src/ros/main.js node_modules; do
    [ -e "$prebuilt/$part" ] || { echo "Expected $part in VPR_PREBUILT, found none in $prebuilt" >&2; exit 1; }
  done
  rm -rf "$stage/node_modules"
  mkdir -p "$stage/dist"
  cp -R "$prebuilt/dist/src" "$stage/dist/"
  cp -a "$prebuilt/node_modules" "$stage/"
  if [ -L "$stage/node_modules/rclnodejs" ]; then
    # A checkout links to the rclnodejs of its ROS; what it needs lies beside it.
    beside=$(dirname "$(readlink -f "$stage/node_modules/rclnodejs")")
    rm "$stage/node_modules/rclnodejs"
    for package in "$beside"/*; do
      [ -e "$stage/node_modules/$(basename "$package")" ] || cp -a "$package" "$stage/node_modules/"
    done
    mkdir -p "$stage/node_modules/@rclnodejs"
    cp -a "$beside/@rclnodejs/." "$stage/node_modules/@rclnodejs/"
  fi
else
  cp "$source/package.json" "$source/package-lock.json" "$source/tsconfig.json" "$stage/"
  [ ! -e "$source/.npmrc" ] || cp "$source/.npmrc" "$stage/"
  cp -R "$source/src" "$stage/"
  # Only the node itself: no tests, no benchmarks.
  printf '{ "extends": "./tsconfig.json", "include": ["src/**/*.ts"] }\n' >"$stage/tsconfig.build.json"
  cd "$stage"
  # rclnodejs compiles where it has no binary for this system: with the headers that came with node, where they did.
  prefix=$(node -p "path.dirname(path.dirname(process.execPath))")
  [ ! -e "$prefix/include/node/node.h" ] || export npm_config_nodedir="$prefix"
  export npm_config_yes=true
  # With NODE_ENV=production npm would leave the compiler out.
  npm ci --include=dev --no-audit --no-fund --loglevel=error
  node_modules/.bin/tsc -p tsconfig.build.json
  npm prune --omit=dev --no-audit --no-fund --loglevel=error
fi
[ -d "$stage/node_modules/rclnodejs" ] || {
  echo "Expected rclnodejs in node_modules: is ROS 2 sourced? (it is an optional dependency, and is left out without ROS)" >&2
  exit 1
}
touch "$stage/stage.done"
