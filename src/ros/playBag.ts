/**
 * Plays a bag into ROS 2 and records what vpr_node says: for replay.launch.py where `ros2 bag` is not installed, and for
 * tests. Messages are published as they are in the bag (serialised), with /clock.
 *
 *   play_bag BAG [--rate 1.0] [--results FILE] [--lockstep] [--place /vpr_node/place]
 *
 * --results writes every PlaceMatch heard on --place as a line of JSON. --lockstep publishes an image only when the one
 * before was answered there: every image is processed, whatever the machine.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { openBag } from '../bag/openBag.js';
import type { BagFile, BagTopic } from '../bag/BagFile.js';
import { isImageMessageType } from '../core/parseImageCdr.js';
import { messageOf } from '../core/VprError.js';
import { hasInterface } from './hasInterface.js';
import { loadRos } from './loadRos.js';
import { createQos, resultQos } from './qos.js';
import type { RosMessage, RosModule, RosNode, RosPublisher } from './RosApi.js';
import { stampMessage } from './stamp.js';

const ANSWER_TIMEOUT_MS = 10_000;
const DISCOVERY_TIMEOUT_MS = 30_000;

interface PlayOptions {
  readonly rate: number;
  readonly lockstep: boolean;
  /** Topic of the PlaceMatches. */
  readonly place: string;
  readonly results: string | undefined;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class BagPlayer {
  /** Rejects when the results cannot be written; resolves when they are. */
  readonly written: Promise<void>;
  readonly #options: PlayOptions;
  readonly #node: RosNode;
  readonly #ros: RosModule;
  readonly #clock: RosPublisher;
  readonly #publishers = new Map<BagTopic, RosPublisher>();
  readonly #results: WriteStream | undefined;
  #answers = 0;
  #onAnswer: (() => void) | undefined;

  constructor(ros: RosModule, node: RosNode, options: PlayOptions) {
    this.#ros = ros;
    this.#node = node;
    this.#options = options;
    this.#clock = node.createPublisher('rosgraph_msgs/msg/Clock', '/clock', {
      qos: createQos(ros, 1, 'reliable', 'volatile'),
    });
    const { results } = options;
    this.#results = results === undefined ? undefined : createWriteStream(results);
    this.written =
      this.#results === undefined
        ? Promise.resolve()
        : finished(this.#results).catch((error: unknown) => {
            throw new Error(`Expected a file that can be written for --results, got ${results}: ${messageOf(error)}`);
          });
    node.createSubscription('vpr_node/msg/PlaceMatch', options.place, { qos: resultQos(ros) }, (match: RosMessage) => {
      this.#answers++;
      this.#results?.write(
        `${JSON.stringify(match, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}\n`,
      );
      this.#onAnswer?.();
    });
  }

  async play(file: BagFile): Promise<{ readonly images: number; readonly answers: number }> {
    const topics = file.topics.filter((topic) => topic.encoding === 'cdr' && this.#isKnown(topic));
    for (const topic of topics)
      this.#publishers.set(
        topic,
        this.#node.createPublisher(topic.type, topic.name, { qos: createQos(this.#ros, 10, 'reliable', 'volatile') }),
      );
    await this.#untilHeard(topics);
    const startMs = performance.now();
    let images = 0;
    for await (const { topic, logTimeNs, data } of file.messages(topics, (problem) => this.#warn(problem.message))) {
      const dueMs = startMs + Number(logTimeNs - (file.startNs ?? logTimeNs)) / 1e6 / this.#options.rate;
      const waitMs = this.#options.lockstep ? 0 : dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      this.#clock.publish({ clock: stampMessage(logTimeNs) });
      const isImage = isImageMessageType(topic.type);
      const publisher = this.#publishers.get(topic)!;
      // Nobody answers to the image topics that the node does not take: the other camera, the other transport.
      const isAwaited = isImage && this.#options.lockstep && publisher.subscriptionCount > 0;
      const answered = isAwaited ? this.#nextAnswer() : undefined;
      publisher.publish(Buffer.from(data));
      if (isImage) images++;
      // The node answers nothing to an image that it cannot read: one of them must not cost all that follow.
      if ((await answered) === false)
        this.#warn(
          `Expected an answer on ${this.#options.place} within ${ANSWER_TIMEOUT_MS} ms, got none: going on without [${topic.name}, ${logTimeNs} ns]`,
        );
    }
    // The last image is still on its way through the node.
    await sleep(this.#options.lockstep ? 0 : 1000);
    return { images, answers: this.#answers };
  }

  /** Ends the results; `written` says when they are there. */
  close(): void {
    this.#results?.end();
  }

  #isKnown(topic: BagTopic): boolean {
    if (hasInterface(topic.type)) return true;
    this.#warn(`${topic.name} is left out: ${topic.type} is not installed`);
    return false;
  }

  /** Until somebody listens to an image topic, where there is one: what is published before is lost. */
  async #untilHeard(topics: readonly BagTopic[]): Promise<void> {
    const images = topics
      .filter((topic) => isImageMessageType(topic.type))
      .map((topic) => this.#publishers.get(topic)!);
    const deadlineMs = performance.now() + DISCOVERY_TIMEOUT_MS;
    while (images.length > 0 && !images.some((publisher) => publisher.subscriptionCount > 0)) {
      if (performance.now() > deadlineMs)
        throw new Error(`Expected a subscriber of ${images.map(({ topic }) => topic).join(', ')}, got none`);
      await sleep(100);
    }
    await sleep(500);
  }

  /** False when none came in time. */
  #nextAnswer(): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (isAnswered: boolean): void => {
        clearTimeout(timer);
        this.#onAnswer = undefined;
        resolve(isAnswered);
      };
      const timer = setTimeout(() => end(false), ANSWER_TIMEOUT_MS);
      this.#onAnswer = () => end(true);
    });
  }

  #warn(text: string): void {
    this.#node.getLogger().warn(text);
  }
}

async function run(): Promise<void> {
  const { ros } = await loadRos();
  const { values, positionals } = parseArgs({
    args: [...ros.removeROSArgs(process.argv.slice(2))],
    allowPositionals: true,
    options: {
      rate: { type: 'string', default: '1' },
      results: { type: 'string' },
      lockstep: { type: 'boolean', default: false },
      place: { type: 'string', default: '/vpr_node/place' },
    },
  });
  const [bag] = positionals;
  const rate = Number(values.rate);
  if (bag === undefined || !(rate > 0))
    throw new Error('Usage: play_bag BAG [--rate 1.0] [--results FILE] [--lockstep] [--place /vpr_node/place]');
  await ros.init();
  const node = new ros.Node('play_bag');
  node.spin();
  try {
    const { lockstep, place, results } = values;
    const player = new BagPlayer(ros, node, { rate, lockstep, place, results });
    // Together: results that cannot be written end it at once.
    const [{ images, answers }] = await Promise.all([playFiles(bag, node, player), player.written]);
    node.getLogger().info(`${images} images played, ${answers} answered${results === undefined ? '' : `: ${results}`}`);
  } finally {
    // rclnodejs' thread must have ended before the process does.
    ros.shutdown();
  }
}

async function playFiles(bag: string, node: RosNode, player: BagPlayer): Promise<{ images: number; answers: number }> {
  let images = 0;
  let answers = 0;
  for (const file of await openBag(bag, (problem) => node.getLogger().warn(problem.message))) {
    const played = await player.play(file);
    images += played.images;
    answers = played.answers;
    await file.close();
  }
  player.close();
  return { images, answers };
}

run().then(
  () => process.exit(0),
  (error: unknown) => {
    process.stderr.write(`play_bag: ${messageOf(error)}\n`);
    process.exit(1);
  },
);
