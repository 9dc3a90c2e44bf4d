import type { NodeLog } from '../NodeLog.js';
import { hasInterface } from '../hasInterface.js';
import type { RosMessage, RosNode, RosServiceResponse } from '../RosApi.js';
import { stampNsOf, type StampMessage } from '../stamp.js';

const TYPE = 'autoware_internal_localization_msgs/srv/PoseWithCovarianceStamped';
/** A pose that is older says where the robot was. */
const FRESH_NS = 3_000_000_000n;

/** A pose message with the confidence that it came with. */
export interface KnownPose {
  readonly message: RosMessage;
  readonly confidence: number;
}

/**
 * The service that Autoware's pose initializer calls on NDT or YabLoc: "align this pose". The guess in the request is
 * not needed; the answer is the last accepted pose, reliable while it is fresh.
 */
export class AlignPoseService {
  readonly #node: RosNode;
  readonly #service: object | undefined;
  #last: KnownPose | undefined;

  constructor(node: RosNode, log: NodeLog) {
    this.#node = node;
    if (!hasInterface(TYPE)) {
      log.error(
        'Expected autoware_internal_localization_msgs for serve_align_pose, got none: install it, source it, and build vpr_node again',
      );
      return;
    }
    this.#service = node.createService(TYPE, '~/align_pose', {}, (_request: never, response) => this.#answer(response));
  }

  /** What was known is of another map, or forgotten. */
  reset(): void {
    this.#last = undefined;
  }

  see(pose: KnownPose): void {
    this.#last = pose;
  }

  /** The answer to a request at this time. */
  reply(nowNs: bigint): RosMessage {
    if (this.#last === undefined) return { success: false, reliable: false };
    const { header } = this.#last.message as { header: { stamp: StampMessage } };
    // A clock that went back (a bag that starts over) leaves a pose of the future behind, which is no fresher.
    const ageNs = nowNs - stampNsOf(header.stamp);
    const reliable = ageNs <= FRESH_NS && ageNs >= -FRESH_NS;
    return { success: true, reliable, pose_with_covariance: this.#last.message };
  }

  close(): void {
    if (this.#service !== undefined) this.#node.destroyService(this.#service);
  }

  #answer(response: RosServiceResponse): Promise<void> {
    response.send(this.reply(this.#node.now().nanoseconds));
    return Promise.resolve();
  }
}
