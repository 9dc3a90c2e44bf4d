import { expect } from 'chai';
import { NodeSession, numberOf } from './NodeSession.js';
import { sampleDrives } from './sampleDrives.js';

const SAMPLE_PERIOD_MS = 1_000;
/** Share of the run in which memory pools and caches fill up. */
const WARM_UP = 0.4;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Drives the node at full speed (the next image of two cameras after the answer to the last, another map opened by
 * load_map after each drive) and checks that resident memory stays within `largestGrowth` (a part of 1) and open files and
 * threads stay the same. V8 lets its heap grow by some 10 % between two full collections, which are a minute or two apart
 * here: a short soak sees a piece of that saw, a long one its mean.
 */
export async function soak(seconds: number, largestGrowth: number): Promise<string> {
  const { mapPath, messages } = await sampleDrives();
  const session = await NodeSession.begin();
  try {
    const node = await session.start({ map: mapPath });
    const images = messages.compressed;
    const samples: ReturnType<typeof node.resources>[] = [];
    let played = 0;
    await session.publishing(images, async () => {
      await session.play(images);
      const endMs = Date.now() + seconds * 1000;
      const timer = setInterval(() => samples.push(node.resources()), SAMPLE_PERIOD_MS);
      try {
        while (Date.now() < endMs) {
          played += (await session.play(images)).length;
          const loaded = await session.call('load_map', 'vpr_node/srv/LoadMap', { path: mapPath });
          expect(loaded).to.include({ success: true });
          expect(await session.call('get_map_info', 'vpr_node/srv/GetMapInfo')).to.include({ success: true });
          for (const topic of ['pose', 'loop_closure', 'state', 'map_info']) session.peer.forget(`/vpr_node/${topic}`);
        }
      } finally {
        clearInterval(timer);
      }
      session.peer.forget('/diagnostics');
      const inference = await session.status('inference');
      expect(numberOf(inference, 'worker_restarts')).to.equal(0);
    });
    const warm = samples.slice(Math.floor(samples.length * WARM_UP));
    const half = warm.length >> 1;
    const before = mean(warm.slice(0, half).map(({ rssBytes }) => rssBytes));
    const after = mean(warm.slice(half).map(({ rssBytes }) => rssBytes));
    const growth = after / before - 1;
    const handles = [warm[0]!, warm.at(-1)!].map(({ descriptors, threads }) => ({ descriptors, threads }));
    const summary =
      `${played} images in ${seconds} s, RSS ${(before / 1e6).toFixed(0)} -> ${(after / 1e6).toFixed(0)} MB ` +
      `(${(100 * growth).toFixed(1)} %), files ${handles[0]!.descriptors} -> ${handles[1]!.descriptors}, ` +
      `threads ${handles[0]!.threads} -> ${handles[1]!.threads}`;
    expect(played).to.be.above(images.length);
    expect(growth, summary).to.be.below(largestGrowth);
    expect(handles[1]!.descriptors, summary).to.be.at.most(handles[0]!.descriptors + 1);
    expect(handles[1]!.threads, summary).to.be.at.most(handles[0]!.threads);
    return summary;
  } finally {
    await session.end();
  }
}
