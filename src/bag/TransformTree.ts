import { composePoses, IDENTITY_POSE, type Pose } from '../core/pose.js';
import { VprError } from '../core/VprError.js';
import { MAX_FRAMES } from './bagLimits.js';
import { PoseColumns } from './PoseColumns.js';
import { PoseTrack } from './PoseTrack.js';
import type { StampedPose } from './readPose.js';

interface Edge {
  readonly parent: string;
  readonly child: string;
  readonly poses: PoseColumns;
  /** Transforms left out: numbers that are not finite, quaternions of length zero. */
  invalidCount: number;
  isStatic: boolean;
}

/** Which pose is asked of a transform tree: mapFromBase. */
export interface PoseFrames {
  readonly map: string;
  readonly base: string;
}

/** Transforms of a drive by child frame. A frame whose parent changes keeps each parent's transforms apart. */
export class TransformTree {
  readonly #edges = new Map<string, Edge[]>();

  add(stamped: StampedPose, isStatic: boolean): void {
    const edges = this.#edges.get(stamped.childFrameId) ?? [];
    if (edges.length === 0) this.#edges.set(stamped.childFrameId, edges);
    let edge = edges.find(({ parent }) => parent === stamped.frameId);
    if (edge === undefined) {
      const { frameId: parent, childFrameId: child } = stamped;
      edge = { parent, child, poses: new PoseColumns(), invalidCount: 0, isStatic };
      edges.push(edge);
    }
    edge.isStatic = isStatic;
    if (stamped.pose === undefined) {
      edge.invalidCount++;
      return;
    }
    // Of a static transform only the last counts.
    if (isStatic) edge.poses.clear();
    edge.poses.add(stamped.stampNs, stamped.pose);
  }

  frames(): readonly string[] {
    return [
      ...new Set([...this.#edges].flatMap(([child, edges]) => [child, ...edges.map(({ parent }) => parent)])),
    ].sort();
  }

  /** Edges from `base` up to `map`, or undefined where none lead there. visited: frames already tried (cycles end there). */
  #chain(map: string, base: string, visited = new Set<string>()): readonly Edge[] | undefined {
    if (base === map) return [];
    if (visited.has(base) || visited.size > MAX_FRAMES) return undefined;
    visited.add(base);
    for (const edge of this.#edges.get(base) ?? []) {
      const rest = this.#chain(map, edge.parent, visited);
      if (rest !== undefined) return [edge, ...rest];
    }
    return undefined;
  }

  /**
   * mapFromBase at every stamp of the chain's moving transforms at which all of them are known; its invalidCount is of the
   * chain's transforms.
   * Throws POSES_INVALID, naming the frames that there are, when no chain leads from base to map.
   */
  track({ map, base }: PoseFrames, where: string): PoseTrack {
    const chain = this.#chain(map, base);
    if (chain === undefined)
      throw new VprError(
        'POSES_INVALID',
        `Expected transforms from ${base} up to ${map}, got none that lead there among ${this.frames().join(', ')} [${where}]`,
      );
    const tracks = chain.map(({ parent, child, poses, isStatic }) => {
      const stamped = poses.stamped(parent, child);
      return isStatic ? stamped[0]?.pose : new PoseTrack(stamped);
    });
    const stamps = new Set<bigint>();
    for (const track of tracks)
      if (track instanceof PoseTrack) for (const { stampNs } of track.poses) stamps.add(stampNs);
    const poses = [...stamps].flatMap((stampNs): StampedPose[] => {
      let mapFromBase: Pose = IDENTITY_POSE;
      for (const track of tracks) {
        const parentFromChild = track instanceof PoseTrack ? track.at(stampNs) : track;
        if (parentFromChild === undefined) return [];
        mapFromBase = composePoses(parentFromChild, mapFromBase);
      }
      return [{ stampNs, frameId: map, childFrameId: base, pose: mapFromBase }];
    });
    return new PoseTrack(
      poses,
      chain.reduce((sum, { invalidCount }) => sum + invalidCount, 0),
    );
  }
}
