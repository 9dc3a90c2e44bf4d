"""What loop closures do for a pose graph: python pose_graph.py FOLDER [--json FILE], FOLDER from `runStudy.js slam`.

Each file holds one drive: odometry, true poses and the node's LoopClosure messages. The graph is GTSAM's: a prior on the
first pose, odometry between neighbours, each closure as it was sent (identity, with its 6x6 covariance) under a robust
kernel, Levenberg-Marquardt. The trajectory error (ATE) is the root mean square of the distances to the true positions,
both trajectories starting from the true first pose.
"""
import argparse
import json
import pathlib

import gtsam
import numpy as np

ODOMETRY_SIGMAS = np.array([0.002, 0.002, 0.004, 0.04, 0.02, 0.02])  # roll, pitch, yaw [rad], x, y, z [m], a step
# Wheels of a wrong size and a bias in yaw are no white noise: the steps' deviations are widened by this.
DRIFT_FACTOR = 3.0


def pose_of(row):
    x, y, z, qx, qy, qz, qw = row
    return gtsam.Pose3(gtsam.Rot3.Quaternion(qw, qx, qy, qz), np.array([x, y, z]))


def covariance_of(values):
    """[x, y, z, roll, pitch, yaw] as the message has it -> [roll, pitch, yaw, x, y, z] as GTSAM's Pose3 has it."""
    covariance = np.array(values).reshape(6, 6)
    order = [3, 4, 5, 0, 1, 2]
    return covariance[np.ix_(order, order)]


def ate(poses, truth):
    gaps = [np.linalg.norm(pose.translation() - true.translation()) for pose, true in zip(poses, truth)]
    return float(np.sqrt(np.mean(np.square(gaps))))


def optimize(odometry, closures, start):
    graph, values = gtsam.NonlinearFactorGraph(), gtsam.Values()
    graph.add(gtsam.PriorFactorPose3(0, start, gtsam.noiseModel.Isotropic.Sigma(6, 1e-3)))
    step_noise = gtsam.noiseModel.Diagonal.Sigmas(ODOMETRY_SIGMAS * DRIFT_FACTOR)
    pose = start
    values.insert(0, pose)
    for i in range(1, len(odometry)):
        step = odometry[i - 1].between(odometry[i])
        graph.add(gtsam.BetweenFactorPose3(i - 1, i, step, step_noise))
        pose = pose.compose(step)
        values.insert(i, pose)
    for closure in closures:
        noise = gtsam.noiseModel.Gaussian.Covariance(covariance_of(closure["covariance"]))
        robust = gtsam.noiseModel.Robust.Create(gtsam.noiseModel.mEstimator.Cauchy.Create(2.0), noise)
        graph.add(gtsam.BetweenFactorPose3(closure["reference"], closure["query"], pose_of(closure["relativePose"]), robust))
    result = gtsam.LevenbergMarquardtOptimizer(graph, values).optimize()
    before = [values.atPose3(i) for i in range(len(odometry))]
    after = [result.atPose3(i) for i in range(len(odometry))]
    return before, after


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    worlds = {}
    for file in sorted(options.folder.glob("*.json"), key=lambda path: int(path.stem)):
        drive = json.loads(file.read_text())
        truth = [pose_of(row) for row in drive["truth"]]
        odometry = [pose_of(row) for row in drive["odometry"]]
        before, after = optimize(odometry, drive["closures"], truth[0])
        worlds[f"town {drive['seed']}"] = {
            "closures": len(drive["closures"]),
            "odometryAteM": round(ate(before, truth), 2),
            "graphAteM": round(ate(after, truth), 2),
        }
    ratios = [world["odometryAteM"] / world["graphAteM"] for world in worlds.values()]
    means = {key: float(np.mean([world[key] for world in worlds.values()])) for key in ("odometryAteM", "graphAteM")}
    result = {
        "worlds": worlds,
        "meanOdometryAteM": round(means["odometryAteM"], 2),
        "meanGraphAteM": round(means["graphAteM"], 2),
        "ratioOfMeans": round(means["odometryAteM"] / means["graphAteM"], 2),
        "worstRatio": round(min(ratios), 2),
    }
    text = json.dumps(result, indent=2)
    print(text)
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
