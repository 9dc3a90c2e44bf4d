/** A stamp this far before the last one of its camera is a jump in time (a bag that starts again), not jitter. */
const JUMP_BACK_NS = 1_000_000_000n;
/** A camera that lies behind the others for so long is not late: its clock is another one. */
const LATE_NS = 10_000_000_000n;

interface CameraClock {
  lastNs: bigint;
  /** Stream time less stamp. */
  offsetNs: bigint;
  /** Jumps of the stream that this camera has taken part in. */
  jumps: number;
  /** Its stamp when it fell behind the stream; undefined while it keeps up. */
  lateSinceNs: bigint | undefined;
}

/**
 * Time of a run, made of the stamps of its images. It runs on where a camera's clock jumps back, and it is one for cameras
 * whose clocks differ: what was so many seconds ago was so, whatever the stamps say. While all clocks agree it is the stamp.
 */
export class StreamClock {
  readonly #cameras = new Map<string, CameraClock>();
  /** Of the camera whose clock was set last. */
  #offsetNs = 0n;
  #jumps = 0;
  #nowNs: bigint | undefined;

  /** Time of the newest image, nanoseconds; undefined before the first. */
  get nowNs(): bigint | undefined {
    return this.#nowNs;
  }

  /**
   * Time of the next image of a camera, nanoseconds, never before that of the last one. jumped: the stream starts anew
   * with this image; true once where the clocks of several cameras jump together.
   */
  advance(camera: string, stampNs: bigint): { readonly timeNs: bigint; readonly jumped: boolean } {
    const now = this.#nowNs ?? stampNs;
    const known = this.#cameras.get(camera);
    const isBack = known !== undefined && stampNs < known.lastNs - JUMP_BACK_NS;
    const jumped = isBack && known.jumps === this.#jumps;
    if (jumped) this.#jumps++;
    let offsetNs = known?.offsetNs ?? this.#offsetNs;
    if (known === undefined || isBack) {
      // A clock of its own goes on from now; one that agrees with the others', also after a common jump, is theirs.
      offsetNs = this.#offsetNs;
      const apartNs = stampNs + offsetNs - now;
      if (apartNs < -JUMP_BACK_NS || apartNs > JUMP_BACK_NS) offsetNs = now - stampNs;
      this.#offsetNs = offsetNs;
    }
    let lateSinceNs = stampNs + offsetNs < now - JUMP_BACK_NS ? (known?.lateSinceNs ?? stampNs) : undefined;
    if (lateSinceNs !== undefined && stampNs - lateSinceNs > LATE_NS) {
      // Time must not stand still for a clock that was ahead and is gone, or for one stamp of the far future.
      offsetNs = now - stampNs;
      lateSinceNs = undefined;
    }
    const jumps = known === undefined || isBack ? this.#jumps : known.jumps;
    this.#cameras.set(camera, { lastNs: stampNs, offsetNs, jumps, lateSinceNs });
    const timeNs = stampNs + offsetNs;
    this.#nowNs = timeNs > now ? timeNs : now;
    return { timeNs: this.#nowNs, jumped };
  }
}
