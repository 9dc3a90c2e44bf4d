import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { PLACE_STATES, REJECT_REASONS } from '../../src/ros/resultMessages.js';
import { buildTown } from '../../src/sample/buildTown.js';
import { SAMPLE_CAMERA } from '../../src/sample/Pinhole.js';
import { SAMPLE_CONDITIONS } from '../../src/sample/SampleCondition.js';
import { SampleTraverse } from '../../src/sample/SampleTraverse.js';
import { writeSampleBag } from '../../src/sample/writeSampleBag.js';
import { bagOf, inFolder, POSE, poseMessage, useFolder } from '../unit/bag/bagFixtures.js';
import { describeRos, rosEnvironment } from './describeRos.js';
import { NodeSession, stampOf } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives } from './sampleDrives.js';

/** Runs a program of this checkout to its end. */
function run(args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, args, { env: rosEnvironment() });
  const text = { stdout: '', stderr: '' };
  child.stdout.on('data', (data: Buffer) => (text.stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (text.stderr += data.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...text })));
}

/** What `vpr replay --json` says of an image. */
interface ReplayedImage {
  readonly camera: string;
  readonly stampNs: string;
  readonly state: string;
  readonly placeId: number;
  readonly referenceId: number;
  readonly confidence: number;
  readonly margin: number;
  readonly accepted: boolean;
  readonly rejectReason: string;
  readonly closure: boolean;
}

function linesOf<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

/** Two laps of a small town, front camera: what was mapped in the first is seen again in the second. */
async function twoLaps(folder: string): Promise<string> {
  const bag = path.join(folder, 'two_laps');
  const town = buildTown({ seed: 11, routeM: 36, aliasedM: 0 });
  const traverse = new SampleTraverse(town, {
    seed: 3,
    condition: SAMPLE_CONDITIONS.day,
    frames: 36,
    crowd: 0,
    camera: { ...SAMPLE_CAMERA, width: 160, height: 120 },
    startNs: 5_000_000_000_000n,
  });
  await writeSampleBag(traverse, bag, { cameras: ['front'] });
  return bag;
}

describeRos('a bag through the live node', function () {
  this.timeout(180_000);
  useFolder();
  let session: NodeSession;

  before(async () => {
    session = await NodeSession.begin();
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  /** Plays it in lockstep; returns play_bag's results and those of `vpr replay`. */
  async function both(bag: string, results: string, replayArgs: readonly string[]) {
    const played = await run(['dist/src/ros/playBag.js', bag, '--lockstep', '--results', results]);
    expect(played.code, played.stderr).to.equal(0);
    const replayed = await run(['bin/vpr.mjs', 'replay', bag, ...replayArgs, '--json']);
    expect(replayed.code, replayed.stderr).to.equal(0);
    const { answers } = JSON.parse(replayed.stdout) as { answers: ReplayedImage[] };
    return { live: linesOf<Message>(results), offline: answers };
  }

  function expectEqual(live: readonly Message[], offline: readonly ReplayedImage[]): void {
    const stamp = (match: Message): string => {
      const { sec, nanosec } = (match['header'] as { stamp: { sec: number; nanosec: number } }).stamp;
      return String(BigInt(sec) * 1_000_000_000n + BigInt(nanosec));
    };
    expect(live.map((match) => [match['camera'], stamp(match)])).to.deep.equal(
      offline.map(({ camera, stampNs }) => [camera, stampNs]),
    );
    offline.forEach((image, i) => {
      const match = live[i]!;
      const where = `${image.camera} ${image.stampNs}`;
      expect(match['place_id'], where).to.equal(image.placeId);
      expect(match['reference_id'], where).to.equal(image.referenceId);
      expect(match['accepted'], where).to.equal(image.accepted);
      expect(PLACE_STATES[match['state'] as number], where).to.equal(image.state);
      expect(REJECT_REASONS[match['reject_reason'] as number], where).to.equal(image.rejectReason);
      // The message is float32, the JSON has six digits.
      expect(match['confidence'] as number, where).to.be.closeTo(image.confidence, 1e-6);
      expect(match['margin'] as number, where).to.be.closeTo(image.margin, 1e-6);
    });
  }

  for (const transport of ['compressed', 'raw'] as const)
    it(`gives the results of vpr replay: two cameras, ${transport}, localization`, async () => {
      const { bag, mapPath, folder } = await sampleDrives();
      await session.start({ map: mapPath });
      const results = path.join(folder, `live_${transport}.jsonl`);
      const { live, offline } = await both(bag[transport], results, ['--map', mapPath]);
      expect(live).to.have.length(48);
      expectEqual(live, offline);
    });

  it('gives the results of vpr replay in slam mode, and the same loop closures', async () => {
    const { folder } = await sampleDrives();
    const bag = await twoLaps(folder);
    const values = { mode: 'slam', exclude_recent_s: 6, acceptance_probability: 0.3, confirm_images: 1 };
    await session.start({ cameras: ['front'], 'keyframe.interval_s': 0, ...values });
    const settings = Object.entries({ ...values, 'keyframe.interval_s': 0 })
      .filter(([name]) => name !== 'mode')
      .flatMap(([name, value]) => ['--set', `${name}=${value}`]);
    const { live, offline } = await both(bag, path.join(folder, 'live_slam.jsonl'), ['--mode', 'slam', ...settings]);
    expectEqual(live, offline);
    expect(live.filter((match) => match['added_reference_id'] !== 0).length).to.be.above(30);
    const closing = offline.filter(({ closure }) => closure).map(({ stampNs }) => stampNs);
    expect(closing.length, 'loop closures: the second lap must show something').to.be.above(0);
    await until('all closures', () => session.peer.heard('/vpr_node/loop_closure').length >= closing.length);
    const closures = session.peer.heard('/vpr_node/loop_closure');
    expect(closures.map((closure) => String(stampOf(closure)))).to.deep.equal(closing);
    for (const closure of closures) {
      const match = live.find((one) => one['reference_id'] === closure['reference_id'] && one['accepted'] === true);
      expect(match, 'the match of the closure').to.not.equal(undefined);
      expect(closure).to.include({
        camera: 'front',
        reference_camera: 'front',
        verified: false,
        has_reference_pose: false,
      });
      const { pose, covariance } = closure['relative_pose'] as { pose: Message; covariance: number[] };
      expect(pose['orientation']).to.include({ w: 1 });
      expect(covariance[0]).to.be.above(0);
    }
  });

  it('goes on after an image that gets no answer, and after a file of the bag without images', async () => {
    const { messages, mapPath } = await sampleDrives();
    const images = messages.compressed.filter(({ camera }) => camera === 'front').slice(0, 6);
    const entries = images.map(({ topic, type, cdr }, i) => {
      const data = Uint8Array.from(cdr);
      // One JPEG whose head is gone.
      if (i === 2) data.fill(0x41, Buffer.from(data).indexOf(Buffer.from([0xff, 0xd8])));
      return [topic, type, data] as const;
    });
    const bag = inFolder('split');
    mkdirSync(bag);
    renameSync(await bagOf(entries), path.join(bag, 'split_0.mcap'));
    renameSync(await bagOf([['/slam_pose', POSE, poseMessage(1, 1, 1)]]), path.join(bag, 'split_1.mcap'));
    await session.start({ map: mapPath, cameras: ['front'] });
    const results = inFolder('results.jsonl');
    const played = await run(['dist/src/ros/playBag.js', bag, '--lockstep', '--results', results]);
    expect(played.code, played.stderr).to.equal(0);
    expect(played.stderr).to.include('going on without [/camera/front/image_raw/compressed, 3000000000 ns]');
    const answered = images.filter((_, i) => i !== 2).map(({ stampNs }) => stampNs);
    expect(linesOf<Message>(results).map(stampOf)).to.deep.equal(answered);
  });

  it('says that the results cannot be written', async () => {
    const { bag } = await sampleDrives();
    const results = inFolder('missing/results.jsonl');
    const played = await run(['dist/src/ros/playBag.js', bag.compressed, '--results', results]);
    expect(played.code, played.stderr).to.equal(1);
    expect(played.stderr).to.include(`Expected a file that can be written for --results, got ${results}: ENOENT`);
  });

  it('says what is wrong with a bag, and that nobody listens', async () => {
    const missing = await run(['dist/src/ros/playBag.js', '/nowhere']);
    expect(missing.code).to.equal(1);
    expect(missing.stderr).to.include('/nowhere');
    const usage = await run(['dist/src/ros/playBag.js']);
    expect(usage.code).to.equal(1);
    expect(usage.stderr).to.include('Usage: play_bag BAG');
  });
});
