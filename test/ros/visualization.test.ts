import { expect } from 'chai';
import { load } from 'js-yaml';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { PlaceMap } from '../../src/map/PlaceMap.js';
import { describeRos } from './describeRos.js';
import { NodeSession, stampOf } from './NodeSession.js';
import { until, type Message } from './RosPeer.js';
import { sampleDrives, type DriveMessage } from './sampleDrives.js';

/** All texts of a nested value. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...textsIn(inner)]);
}

interface Marker {
  readonly ns: string;
  readonly action: number;
  readonly points: readonly unknown[];
  readonly pose: { readonly position: Message };
}

describeRos('what the node shows', function () {
  this.timeout(120_000);
  let session: NodeSession;
  let images: readonly DriveMessage[];
  let mapPath: string;

  before(async () => {
    const drives = await sampleDrives();
    mapPath = drives.mapPath;
    images = drives.messages.compressed.filter(({ camera }) => camera === 'front');
    session = await NodeSession.begin();
  });
  afterEach(() => session.stop());
  after(() => session?.end());

  it('publishes the picture of the matched reference, places, candidates and the match, while somebody listens', async () => {
    const { peer } = session;
    await peer.subscribe('/vpr_node/match_image/compressed', 'sensor_msgs/msg/CompressedImage');
    await peer.subscribe('/vpr_node/markers', 'visualization_msgs/msg/MarkerArray', { durability: 'transient_local' });
    await session.start({ map: mapPath, acceptance_probability: 0.02, confirm_images: 1, temporal_filter: 'none' });
    await session.publishing(images, async () => {
      const [match] = await session.play([images[4]!]);
      expect(match!['accepted']).to.equal(true);
      await until('the picture', () => peer.heard('/vpr_node/match_image/compressed').length > 0);
      const [picture] = peer.heard('/vpr_node/match_image/compressed');
      expect(stampOf(picture!)).to.equal(images[4]!.stampNs);
      const map = PlaceMap.open(mapPath, 'read');
      const thumbnail = map.thumbnail(match!['reference_id'] as number)!;
      map.close();
      expect(picture!['format']).to.equal('jpeg');
      expect(picture!['data']).to.deep.equal({
        bytes: thumbnail.length,
        sha256: createHash('sha256').update(thumbnail).digest('hex'),
      });

      const { markers } = (await peer.take('/vpr_node/markers')) as { markers: Marker[] };
      const of = (namespace: string): Marker[] => markers.filter(({ ns }) => ns === namespace);
      const DELETE_ALL = 3;
      expect(markers[0]!.action).to.equal(DELETE_ALL);
      expect(of('places')).to.have.length(1);
      expect(of('places')[0]!.points).to.have.length(24);
      const candidates = match!['candidates'] as { pose: { position: Message } }[];
      expect(of('candidates').map(({ pose }) => pose.position)).to.deep.equal(
        candidates.map(({ pose }) => pose.position),
      );
      const pose = await peer.take('/vpr_node/pose');
      const { position } = (pose['pose'] as { pose: { position: Message } }).pose;
      expect(of('match').map((one) => one.pose.position)).to.deep.equal([position]);

      // Whoever looks later, an RViz that was started again, sees the places too.
      const hasPlaces = (message: Message): boolean =>
        (message['markers'] as Marker[]).some(({ ns }) => ns === 'places');
      await session.play([images[5]!]);
      await peer.take('/vpr_node/markers', (message) => !hasPlaces(message));
      await peer.do('unsubscribe', { topic: '/vpr_node/markers' });
      await peer.subscribe('/vpr_node/markers', 'visualization_msgs/msg/MarkerArray', {
        durability: 'transient_local',
      });
      await new Promise((resolve) => setTimeout(resolve, 5_000));
      await session.play([images[6]!]);
      await peer.take('/vpr_node/markers', hasPlaces);
    });
    for (const topic of ['match_image/compressed', 'markers'])
      await peer.do('unsubscribe', { topic: `/vpr_node/${topic}` });
  });

  it('has every topic that the RViz configuration and the Foxglove layout show', async () => {
    await session.start({ map: mapPath, publish_initialpose_when_lost: true });
    const published = await session.peer.do<string[]>('topic_names');
    const rviz = load(readFileSync('config/vpr_node.rviz', 'utf8'));
    const foxglove = JSON.parse(readFileSync('config/vpr_node.foxglove.json', 'utf8')) as unknown;
    for (const [name, config] of [
      ['RViz', rviz],
      ['Foxglove', foxglove],
    ] as const) {
      // A Foxglove path is "/topic.field".
      const topics = textsIn(config)
        .filter((text) => /^\/[a-z]/.test(text))
        .map((text) => text.split('.')[0]!);
      expect(new Set(topics).size, name).to.be.above(3);
      for (const topic of topics) expect(published, `${name}: ${topic}`).to.include(topic);
    }
  });
});
