import { expect } from 'chai';
import type { Recognition } from '../../src/core/recognition.js';
import { RecognizerClient } from '../../src/worker/RecognizerClient.js';
import { defaultModelPath } from '../../src/worker/defaultModel.js';
import { PLACE_STATES, REJECT_REASONS } from '../../src/ros/resultMessages.js';
import { describeRos } from './describeRos.js';
import { NodeSession, stampOf } from './NodeSession.js';
import { until, type Message, type RosPeer } from './RosPeer.js';
import { sampleDrives, stampedImage, type DriveMessage } from './sampleDrives.js';

/** What the recognizer says of the same bytes, without ROS. */
async function replayDirectly(mapPath: string, messages: readonly DriveMessage[]): Promise<Recognition[]> {
  const recognizer = await RecognizerClient.open({
    modelPath: defaultModelPath(),
    mapPath,
    mode: 'localization',
    executionProviders: ['cpu'],
    parameters: {},
  });
  const results: Recognition[] = [];
  for (const message of messages) results.push(await recognizer.recognize(stampedImage(message)));
  await recognizer.close();
  return results;
}

describeRos('recognition through the node', function () {
  this.timeout(180_000);
  let session: NodeSession;
  let peer: RosPeer;

  before(async () => {
    await sampleDrives();
    session = await NodeSession.begin();
    ({ peer } = session);
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  for (const transport of ['compressed', 'raw'] as const)
    it(`answers every ${transport} image of two cameras as the recognizer does without ROS`, async () => {
      const { mapPath, messages } = await sampleDrives();
      const images = messages[transport];
      const expected = await replayDirectly(mapPath, images);
      await session.start({ map: mapPath });
      const mapInfo = await peer.take('/vpr_node/map_info', (message) => message['path'] === mapPath);
      expect(mapInfo['references']).to.equal(48);
      let matches: readonly Message[] = [];
      await session.publishing(images, async () => {
        matches = await session.play(images);
      });
      expect(matches).to.have.length(images.length);
      matches.forEach((match, i) => {
        const { placeId, referenceId, state, accepted, rejectReason, confidence, margin, candidates } = expected[i]!;
        expect(match).to.include({ place_id: placeId, reference_id: referenceId, accepted, map: mapPath });
        expect(PLACE_STATES[match['state'] as number]).to.equal(state);
        expect(REJECT_REASONS[match['reject_reason'] as number]).to.equal(rejectReason);
        // The message holds float32.
        expect(match['confidence']).to.equal(Math.fround(confidence));
        expect(match['margin']).to.equal(Math.fround(margin));
        const published = (match['candidates'] as Message[]).map((one) => [one['reference_id'], one['hamming']]);
        expect(published).to.deep.equal(candidates.map((one) => [one.referenceId, one.hamming]));
      });
      const localized = expected.filter((one) => one.accepted && one.state === 'localized');
      expect(localized.length, 'localized images: the drive must show something').to.be.above(0);
      // The pose and the closure of the last image come right after its PlaceMatch.
      const closing = expected.filter((one) => one.loopClosure !== undefined);
      await until('all poses', () => peer.heard('/vpr_node/pose').length >= localized.length);
      await until('all closures', () => peer.heard('/vpr_node/loop_closure').length >= closing.length);
      const poses = peer.heard('/vpr_node/pose');
      expect(poses.map(stampOf)).to.deep.equal(localized.map((one) => one.stampNs));
      for (const pose of poses) {
        expect((pose['header'] as Message)['frame_id']).to.equal('map');
        const { covariance } = pose['pose'] as { covariance: number[] };
        expect(covariance[0]).to.be.above(0);
      }
      const closures = peer.heard('/vpr_node/loop_closure');
      expect(closures.map(stampOf)).to.deep.equal(
        expected.filter((one) => one.loopClosure !== undefined).map((one) => one.stampNs),
      );
    });

  it('takes a dynamic parameter that is set while it configures, and refuses one that is used already', async () => {
    const { mapPath, messages } = await sampleDrives();
    const images = messages.compressed.filter(({ camera }) => camera === 'front');
    const set = async (name: string, value: Message): Promise<Message> => {
      const answer = await session.call('set_parameters', 'rcl_interfaces/srv/SetParameters', {
        parameters: [{ name, value }],
      });
      return (answer['results'] as Message[])[0]!;
    };
    const state = async (): Promise<string> => {
      const answer = await session.call('get_state', 'lifecycle_msgs/srv/GetState');
      return (answer['current_state'] as { label: string }).label;
    };
    await session.start({ map: mapPath, cameras: ['front'] });
    for (const transition of [4, 2]) expect(await session.change(transition)).to.equal(true);
    // A service that was never called answers later.
    expect(await set('top_k', { type: 2, integer_value: 9 })).to.include({ successful: true });
    expect(await state()).to.equal('unconfigured');
    const configured = session.change(1);
    await until('configuring', async () => (await state()) !== 'unconfigured');
    expect(await set('top_k', { type: 2, integer_value: 2 })).to.include({ successful: true });
    const refused = await set('map', { type: 4, string_value: '/somewhere/else.vpr' });
    expect(refused['reason']).to.include("got 'map', which is read at configure");
    expect(await configured).to.equal(true);
    expect(await session.change(3)).to.equal(true);
    await session.publishing(images, async () => {
      const [match] = await session.play([images[0]!]);
      expect(match!['candidates']).to.have.length(2);
    });
    for (const transition of [4, 2]) expect(await session.change(transition)).to.equal(true);
    expect(await set('map', { type: 4, string_value: '/nowhere.vpr' })).to.include({ successful: true });
    expect(await session.change(1)).to.equal(false);
    expect(await set('map', { type: 4, string_value: mapPath }), 'after a failed configure').to.include({
      successful: true,
    });
  });

  it('starts from scratch when it is activated again: the robot may have been carried since', async () => {
    const { mapPath, messages } = await sampleDrives();
    const images = messages.compressed.filter(({ camera }) => camera === 'front');
    await session.start({ map: mapPath, cameras: ['front'], acceptance_probability: 0.02 });
    const states = async (some: readonly DriveMessage[]): Promise<unknown[]> =>
      (await session.play(some)).map(({ state }) => PLACE_STATES[state as number]);
    await session.publishing(images, async () => {
      expect(await states(images.slice(0, 4))).to.deep.equal(['candidate', 'localized', 'localized', 'localized']);
      for (const transition of [4, 3]) expect(await session.change(transition)).to.equal(true);
      await peer.untilMatched(images[4]!.topic);
      expect(await states(images.slice(4, 6))).to.deep.equal(['candidate', 'localized']);
    });
  });
});
