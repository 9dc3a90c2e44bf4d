import { MAX_AHEAD_BYTES, MAX_MERGE_BYTES } from './bagLimits.js';

/**
 * Messages of chunks in order of time. places: in order of start time; load: the messages of one chunk, in any order.
 * Up to `ahead` chunks are loaded while the caller works, of MAX_AHEAD_BYTES together, but at least one.
 * Chunks that overlap in time are merged while their messages fit in MAX_MERGE_BYTES; beyond it the order gives way.
 */
export async function* mergeByTime<
  Place extends { readonly startNs: bigint; readonly bytes: number },
  Message extends { readonly logTimeNs: bigint; readonly data: Uint8Array },
>(
  places: readonly Place[],
  ahead: number,
  load: (place: Place) => Promise<readonly Message[]>,
): AsyncGenerator<Message> {
  let pending: Message[] = [];
  let pendingBytes = 0;
  const loading: { readonly bytes: number; readonly messages: Promise<readonly Message[]> }[] = [];
  let loadingBytes = 0;
  let started = 0;
  const loadAhead = (): void => {
    for (; started < places.length; started++) {
      const place = places[started]!;
      if (loading.length > 0 && (loading.length >= ahead || loadingBytes + place.bytes > MAX_AHEAD_BYTES)) return;
      const messages = load(place);
      // Left unawaited while the caller works; a failure is met at its turn.
      messages.catch(() => undefined);
      loading.push({ bytes: place.bytes, messages });
      loadingBytes += place.bytes;
    }
  };
  for (let i = 0; i < places.length; i++) {
    loadAhead();
    const { bytes, messages: loaded } = loading.shift()!;
    loadingBytes -= bytes;
    const messages = await loaded;
    loadAhead();
    const following = places[i + 1];
    pending = pending.concat(messages);
    pending.sort((a, b) => (a.logTimeNs < b.logTimeNs ? -1 : a.logTimeNs > b.logTimeNs ? 1 : 0));
    pendingBytes += messages.reduce((sum, { data }) => sum + data.length, 0);
    let done = 0;
    while (done < pending.length) {
      const message = pending[done]!;
      const mayComeLater = following !== undefined && message.logTimeNs > following.startNs;
      if (mayComeLater && pendingBytes <= MAX_MERGE_BYTES) break;
      pendingBytes -= message.data.length;
      done++;
      yield message;
    }
    pending = pending.slice(done);
  }
}
