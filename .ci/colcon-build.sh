#!/usr/bin/env bash
# Builds the package with colcon from a clean clone of the last commit, with dist/ and node_modules/ of this checkout
# (VPR_PREBUILT: no network), and tests what it installed. Needs what `node .ci/setup.mjs --ros` made.
set -euo pipefail
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$repo"
environment=$(bash .ci/ros2-from-pip.sh)
workspace=$(mktemp -d)
trap 'chmod -R u+w "$workspace"; rm -rf "$workspace"' EXIT
git clone --quiet "$repo" "$workspace/src/vpr_node"

# shellcheck disable=SC1090
. "$environment"
# rclnodejs on the wheels wants libpython preloaded (see ros2-from-pip.sh); compilers and Python must not have it.
node=$(command -v node)
if [ -n "${LD_PRELOAD:-}" ]; then
  printf '#!/bin/sh\nLD_PRELOAD="%s" exec "%s" "$@"\n' "$LD_PRELOAD" "$node" >"$workspace/node"
  chmod +x "$workspace/node"
  node=$workspace/node
fi
python=${VPR_ROS_PYTHON_BIN:-$(command -v python3)}
(
  unset LD_PRELOAD
  cd "$workspace"
  VPR_PREBUILT=$repo colcon build --packages-select vpr_node --event-handlers console_cohesion- --cmake-args \
    -DBUILD_TESTING=OFF -DCMAKE_BUILD_TYPE= "-DNODE_EXECUTABLE=$node" "-DPython3_EXECUTABLE=$python" "-DPYTHON_EXECUTABLE=$python"
) >"$workspace/colcon.log" 2>&1 || { tail -n 40 "$workspace/colcon.log" >&2; exit 1; }
tail -n 1 "$workspace/colcon.log"
# At run time share/ may be read-only.
chmod -R a-w "$workspace/install/vpr_node/share"
VPR_INSTALLED=$workspace/install/vpr_node VPR_REQUIRE_ROS=1 \
  "$(command -v node)" node_modules/mocha/bin/mocha.js --no-config --timeout 60000 --exit --spec dist/test/ros/package.installed.js
