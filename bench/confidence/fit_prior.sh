#!/bin/sh
# Fits the confidence that ships with a model: bench/confidence/fit_prior.sh MODEL POOL
# 18 rendered towns (seeds 5000-5017, six conditions) and the sequences of the pool that training holds out. Writes
# MODEL/calibration.json. Pictures are kept in .cache/pictures: the second model takes minutes less.
set -eu
model=$1
pool=$2
cd "$(dirname "$0")/../.."
node dist/bench/confidence/poolSets.js "$pool" .cache/sets
node bin/vpr.mjs tune --model "$model" --sample-seeds 5000-5017 --pictures .cache/pictures \
  --data-set .cache/sets/pool-nordland --data-set .cache/sets/pool-floors \
  --fitted-on '18 rendered towns (seeds 5000-5017, six conditions), 2 held-out pool sequences' \
  --output "$model/calibration.json"
