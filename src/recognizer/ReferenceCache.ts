import { distanceBetween } from '../core/pose.js';
import type { Reference, ReferenceId } from '../core/reference.js';
import { DamagedReference } from '../core/DamagedReference.js';
import type { PlaceMap } from '../map/PlaceMap.js';

const CAPACITY = 50_000;
/** References to look through for the next one of the same camera: more cameras than a robot has. */
const REACH = 16;

/** Records of references, kept after their first use: candidates repeat from image to image. */
export class ReferenceCache {
  readonly #map: Pick<PlaceMap, 'reference' | 'referenceIds'>;
  #records = new Map<ReferenceId, Reference>();
  /** Names of the robot's cameras now. */
  readonly #robot: ReadonlySet<string>;
  /** Cameras of each session of the map. */
  readonly #sessions = new Map<number, Set<string>>();
  #spacingM: number | undefined;
  #spacingAtSize = 0;

  /** sessionCameras: of the map, as it is now. robot: names of the robot's cameras. */
  constructor(
    map: Pick<PlaceMap, 'reference' | 'referenceIds'>,
    sessionCameras: Iterable<{ readonly sessionId: number; readonly camera: string }> = [],
    robot: readonly string[] = [],
  ) {
    this.#map = map;
    this.#robot = new Set(robot);
    for (const { sessionId, camera } of sessionCameras) this.#noteCamera(sessionId, camera);
  }

  /** Throws DamagedReference. */
  get(referenceId: ReferenceId): Reference {
    const known = this.#records.get(referenceId);
    if (known !== undefined) return known;
    const reference = this.#map.reference(referenceId);
    if (this.#records.size >= CAPACITY) this.#records = new Map();
    this.#records.set(referenceId, reference);
    this.#noteCamera(reference.sessionId, reference.camera);
    return reference;
  }

  /**
   * Whether a reference that looks like an image of this camera was taken by another one: then the robot stands where it
   * stood, but turned. Names differ between sessions: another camera is one beside which this one was there, then or now.
   */
  isOfOtherCamera(reference: Reference, camera: string): boolean {
    if (reference.camera === camera) return false;
    if (this.#sessions.get(reference.sessionId)?.has(camera) === true) return true;
    return this.#robot.has(reference.camera) && this.#robot.has(camera);
  }

  /** Median distance between references of one camera that follow each other in one session, metres; undefined without poses. */
  spacingM(): number | undefined {
    const ids = this.#map.referenceIds;
    if (ids.length >= 2 && ids.length >= this.#spacingAtSize * 2) {
      this.#spacingM = this.#measureSpacing(ids);
      this.#spacingAtSize = ids.length;
    }
    return this.#spacingM;
  }

  #measureSpacing(ids: Uint32Array): number | undefined {
    const distances: number[] = [];
    const pairs = Math.min(100, ids.length - 1);
    for (let i = 0; i < pairs; i++) {
      const at = Math.floor((i * (ids.length - 1)) / pairs);
      const a = this.#wholeOf(ids[at]!);
      const b = a && this.#nextOfCamera(ids, at, a);
      if (a?.pose !== undefined && b?.pose !== undefined) distances.push(distanceBetween(a.pose, b.pose));
    }
    return distances.length === 0 ? undefined : distances.sort((a, b) => a - b)[distances.length >> 1];
  }

  #noteCamera(sessionId: number, camera: string): void {
    const cameras = this.#sessions.get(sessionId);
    if (cameras === undefined) this.#sessions.set(sessionId, new Set([camera]));
    else cameras.add(camera);
  }

  /** Cameras take turns: what follows a reference at once may be another camera's, of the same moment. */
  #nextOfCamera(ids: Uint32Array, at: number, { sessionId, camera }: Reference): Reference | undefined {
    for (const id of ids.subarray(at + 1, at + 1 + REACH)) {
      const reference = this.#wholeOf(id);
      if (reference === undefined) continue;
      if (reference.sessionId !== sessionId) return undefined;
      if (reference.camera === camera) return reference;
    }
    return undefined;
  }

  /** Spacing is a median: a damaged record is as good as none. */
  #wholeOf(referenceId: ReferenceId): Reference | undefined {
    try {
      return this.get(referenceId);
    } catch (error) {
      if (error instanceof DamagedReference) return undefined;
      throw error;
    }
  }
}
