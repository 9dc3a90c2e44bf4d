import { NodeProcess, type ParameterValues } from './NodeProcess.js';
import { RosPeer, type Message } from './RosPeer.js';
import { CAMERAS, type DriveMessage } from './sampleDrives.js';

const TYPES: Readonly<Record<string, string>> = {
  place: 'vpr_node/msg/PlaceMatch',
  pose: 'geometry_msgs/msg/PoseWithCovarianceStamped',
  loop_closure: 'vpr_node/msg/LoopClosure',
  state: 'vpr_node/msg/NodeState',
  map_info: 'vpr_node/msg/MapInfo',
};
const LATCHED: readonly string[] = ['state', 'map_info'];

export interface Status {
  readonly name: string;
  readonly level: number;
  readonly message: string;
  readonly values: readonly { readonly key: string; readonly value: string }[];
}

/** A stamp in nanoseconds. */
export function stampOf(message: Message): bigint {
  const { stamp } = message['header'] as { stamp: { sec: number; nanosec: number } };
  return BigInt(stamp.sec) * 1_000_000_000n + BigInt(stamp.nanosec);
}

/** A value of a diagnostic status, as a number. */
export function numberOf(status: Status, key: string): number {
  const entry = status.values.find((one) => one.key === key);
  if (entry === undefined) throw new Error(`Expected ${key} in ${status.name}, got ${JSON.stringify(status.values)}`);
  return Number(entry.value);
}

/** The node under test with a peer that hears all of its results: what most tests need. */
export class NodeSession {
  readonly peer: RosPeer;
  #node: NodeProcess | undefined;

  private constructor(peer: RosPeer) {
    this.peer = peer;
  }

  static async begin(): Promise<NodeSession> {
    const peer = await RosPeer.start();
    for (const [topic, type] of Object.entries(TYPES))
      await peer.subscribe(
        `/vpr_node/${topic}`,
        type,
        LATCHED.includes(topic) ? { durability: 'transient_local' } : {},
      );
    await peer.subscribe('/diagnostics', 'diagnostic_msgs/msg/DiagnosticArray');
    return new NodeSession(peer);
  }

  get node(): NodeProcess {
    if (this.#node === undefined) throw new Error('Expected a started node');
    return this.#node;
  }

  /** Starts the node, which autostarts, and waits until it is active. Cameras: those of the sample drives. */
  async start(parameters: ParameterValues = {}, options: ConstructorParameters<typeof NodeProcess>[1] = {}) {
    for (const topic of Object.keys(TYPES)) this.peer.forget(`/vpr_node/${topic}`);
    this.#node = new NodeProcess(
      {
        cameras: CAMERAS,
        ...Object.fromEntries(CAMERAS.map((name) => [`cameras.${name}.topic`, `/camera/${name}/image_raw`])),
        ...parameters,
      },
      options,
    );
    await this.untilActive();
    this.peer.forget('/diagnostics');
    return this.#node;
  }

  async untilActive(): Promise<void> {
    try {
      await this.peer.take('/vpr_node/state', (message) => message['lifecycle'] === 'active', 40_000);
    } catch (error) {
      throw new Error(`the node did not become active: ${this.node.log}`, { cause: error });
    }
  }

  async stop(signal?: NodeJS.Signals): Promise<void> {
    await this.#node?.stop(signal);
    this.#node = undefined;
    await this.peer.do('forget_clients');
  }

  async end(): Promise<void> {
    await this.stop();
    await this.peer.stop();
  }

  /** Publishes the topics of these messages, as a camera driver does, until `work` is done. */
  async publishing(
    messages: readonly Pick<DriveMessage, 'topic' | 'type'>[],
    work: () => Promise<void>,
    qos: object = { reliability: 'best_effort' },
  ): Promise<void> {
    const topics = new Map(messages.map(({ topic, type }) => [topic, type]));
    for (const [topic, type] of topics) {
      await this.peer.advertise(topic, type, qos);
      await this.peer.untilMatched(topic);
    }
    try {
      await work();
    } finally {
      for (const topic of topics.keys()) await this.peer.do('unadvertise', { topic });
    }
  }

  /** Publishes in lockstep: the next image after the answer to the last. */
  async play(messages: readonly DriveMessage[]): Promise<Message[]> {
    const matches: Message[] = [];
    for (const { topic, cdr, stampNs, camera } of messages) {
      const answers = (match: Message): boolean => stampOf(match) === stampNs && match['camera'] === camera;
      await this.peer.publishCdr(topic, cdr);
      // Best effort means that the middleware may lose an image: it is sent once more.
      const answer = await this.peer.take('/vpr_node/place', answers, 5000).catch(async () => {
        await this.peer.publishCdr(topic, cdr);
        return this.peer.take('/vpr_node/place', answers).catch((error: unknown) => {
          throw new Error(`image ${stampNs} of ${camera} was not answered: ${this.node.log.slice(-2000)}`, {
            cause: error,
          });
        });
      });
      matches.push(answer);
    }
    return matches;
  }

  /** Waits for a diagnostic status ("camera front") that fits. */
  async status(name: string, fits: (status: Status) => boolean = () => true): Promise<Status> {
    let found: Status | undefined;
    await this.peer.take('/diagnostics', (message) => {
      found = (message['status'] as Status[]).find((one) => one.name === `vpr_node: ${name}` && fits(one));
      return found !== undefined;
    });
    return found!;
  }

  call(service: string, type: string, request: Message = {}): Promise<Message> {
    return this.peer.call(type, `/vpr_node/${service}`, request);
  }

  /** Asks for a lifecycle transition: configure 1, cleanup 2, activate 3, deactivate 4. */
  async change(id: number): Promise<boolean> {
    const answer = await this.call('change_state', 'lifecycle_msgs/srv/ChangeState', { transition: { id } });
    return answer['success'] as boolean;
  }
}
