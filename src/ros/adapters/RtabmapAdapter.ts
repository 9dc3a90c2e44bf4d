import type { LoopClosure } from '../../core/recognition.js';
import type { NodeLog } from '../NodeLog.js';
import { createQos, resultQos } from '../qos.js';
import type { RosClient, RosMessage, RosModule, RosNode, RosPublisher, RosSubscription } from '../RosApi.js';
import { stampNsOf, type StampMessage } from '../stamp.js';
import { hasInterface } from '../hasInterface.js';

/** rtabmap::Link::Type: a closure that the user (here: this node) asserts. */
const USER_CLOSURE = 4;
/** rtabmap makes a node about once a second: one further away in time is another place. */
const NODE_TOLERANCE_NS = 1_500_000_000n;
const NODES_KEPT = 100_000;

export interface RtabmapAdapterOptions {
  readonly ros: RosModule;
  readonly node: RosNode;
  readonly log: NodeLog;
  readonly publishGlobalPose: boolean;
  /** rtabmap's frame_id. */
  readonly baseFrame: string;
  readonly publishLinks: boolean;
}

/**
 * rtabmap: accepted poses as its `global_pose` prior, and loop closures as links of its graph. rtabmap's nodes have ids of
 * their own, so each closure's two stamps are looked up among the nodes that `rtabmap/info` has announced.
 */
export class RtabmapAdapter {
  readonly #options: RtabmapAdapterOptions;
  readonly #globalPose: RosPublisher | undefined;
  readonly #client: RosClient | undefined;
  readonly #info: RosSubscription | undefined;
  /** Ascending by stamp as long as rtabmap's clock does not jump. */
  readonly #nodes: { readonly stampNs: bigint; readonly id: number }[] = [];

  constructor(options: RtabmapAdapterOptions) {
    const { ros, node, log } = options;
    this.#options = options;
    if (options.publishGlobalPose)
      this.#globalPose = node.createPublisher('geometry_msgs/msg/PoseWithCovarianceStamped', 'global_pose', {
        qos: resultQos(ros),
      });
    if (!options.publishLinks) return;
    if (!hasInterface('rtabmap_msgs/srv/AddLink')) {
      log.error(
        'Expected rtabmap_msgs for publish_rtabmap_links, got none: install it, source it, and build vpr_node again',
      );
      return;
    }
    this.#client = node.createClient('rtabmap_msgs/srv/AddLink', 'rtabmap/add_link');
    this.#info = node.createSubscription(
      'rtabmap_msgs/msg/Info',
      'rtabmap/info',
      // rtabmap that opens an old map may announce many nodes at once.
      { qos: createQos(ros, 1000, 'reliable', 'volatile') },
      (message: { header: { stamp: StampMessage }; ref_id: number }) => {
        this.#nodes.push({ stampNs: stampNsOf(message.header.stamp), id: message.ref_id });
        if (this.#nodes.length > NODES_KEPT) this.#nodes.shift();
      },
    );
  }

  /** pose: of the base in the map. */
  seePose(pose: RosMessage): void {
    // rtabmap takes the frame of this message for that of the sensor which measured its own pose, and multiplies by the
    // transform from there to the base (CoreWrapper.cpp): it is the base itself that is known here.
    const header = { ...(pose['header'] as object), frame_id: this.#options.baseFrame };
    this.#globalPose?.publish({ ...pose, header });
  }

  seeClosure(closure: LoopClosure): void {
    const client = this.#client;
    if (client === undefined) return;
    const { log } = this.#options;
    if (closure.camera !== closure.referenceCamera) {
      // The cameras looked the same way, so the base was turned; rtabmap's links are between bases.
      log.warnEvery(
        'rtabmap cameras',
        10_000,
        `rtabmap: a loop closure was not sent: '${closure.camera}' recognised what '${closure.referenceCamera}' saw, how the base was turned is not known`,
      );
      return;
    }
    const from = this.#nodeAt(closure.referenceStampNs);
    const to = this.#nodeAt(closure.queryStampNs);
    if (from === undefined || to === undefined || from === to) {
      log.warnEvery(
        'rtabmap nodes',
        10_000,
        'rtabmap: a loop closure was not sent: rtabmap has no two nodes at its stamps (was the reference mapped in this session?)',
      );
      return;
    }
    if (!client.isServiceServerAvailable()) {
      log.warnEvery('rtabmap service', 10_000, 'rtabmap: Expected the service rtabmap/add_link, got none');
      return;
    }
    const { position: p, orientation: q } = closure.relativePose;
    client.sendRequest(
      {
        link: {
          from_id: from,
          to_id: to,
          type: USER_CLOSURE,
          transform: {
            translation: { x: p[0], y: p[1], z: p[2] },
            rotation: { x: q[0], y: q[1], z: q[2], w: q[3] },
          },
          information: informationOf(closure.covariance),
        },
      },
      () => undefined,
    );
  }

  close(): void {
    const { node } = this.#options;
    if (this.#info !== undefined) node.destroySubscription(this.#info);
    if (this.#client !== undefined) node.destroyClient(this.#client);
    if (this.#globalPose !== undefined) node.destroyPublisher(this.#globalPose);
  }

  #nodeAt(stampNs: bigint): number | undefined {
    let best: { id: number; distanceNs: bigint } | undefined;
    for (const { stampNs: nodeNs, id } of this.#nodes) {
      const distanceNs = nodeNs > stampNs ? nodeNs - stampNs : stampNs - nodeNs;
      if (best === undefined || distanceNs < best.distanceNs) best = { id, distanceNs };
    }
    return best !== undefined && best.distanceNs <= NODE_TOLERANCE_NS ? best.id : undefined;
  }
}

/** Diagonal information matrix, 6x6 row-major: the covariances here have no cross terms worth inverting. */
function informationOf(covariance: Float64Array): number[] {
  return Array.from(covariance, (variance, i) => (i % 7 === 0 ? 1 / Math.max(variance, 1e-9) : 0));
}
