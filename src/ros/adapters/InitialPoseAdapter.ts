import type { PlaceState } from '../../core/recognition.js';
import { resultQos } from '../qos.js';
import type { RosMessage, RosModule, RosNode, RosPublisher } from '../RosApi.js';

/**
 * Tells Nav2's AMCL, slam_toolbox or rtabmap where the robot is, once each time that the node comes out of LOST or
 * UNKNOWN: `initialpose` resets their filters, so it is never sent while they may know better.
 */
export class InitialPoseAdapter {
  readonly #publisher: RosPublisher;
  readonly #node: RosNode;
  readonly #isOn: () => boolean;
  #wasLost = true;

  constructor(ros: RosModule, node: RosNode, isOn: () => boolean) {
    this.#publisher = node.createPublisher('geometry_msgs/msg/PoseWithCovarianceStamped', 'initialpose', {
      qos: resultQos(ros),
    });
    this.#node = node;
    this.#isOn = isOn;
  }

  /** The state is UNKNOWN again without an image that says so: the next one may already be a candidate. */
  reset(): void {
    this.#wasLost = true;
  }

  /** pose: of this image, when it is localized and the map has poses. Returns whether it was sent. */
  see(state: PlaceState, pose: RosMessage | undefined): boolean {
    if (state === 'lost' || state === 'unknown') this.#wasLost = true;
    if (!this.#wasLost || pose === undefined) return false;
    this.#wasLost = false;
    if (!this.#isOn()) return false;
    this.#publisher.publish(pose);
    return true;
  }

  close(): void {
    this.#node.destroyPublisher(this.#publisher);
  }
}
