import { MAX_MERGE_BYTES } from './bagLimits.js';

/**
 * Messages of chunks in order of time. places: in order of start time; load: the messages of one chunk, in any order, of
 * which the next chunk's is started while the caller works (one chunk is read ahead).
 * Chunks that overlap in time are merged while their messages fit in MAX_MERGE_BYTES; beyond it the order gives way.
 */
export async function* mergeByTime<
  Place extends { readonly startNs: bigint },
  Message extends { readonly logTimeNs: bigint; readonly data: Uint8Array },
>(places: readonly Place[], load: (place: Place) => Promise<readonly Message[]>): AsyncGenerator<Message> {
  let pending: Message[] = [];
  let pendingBytes = 0;
  let next = places[0] === undefined ? undefined : load(places[0]);
  for (let i = 0; i < places.length; i++) {
    const messages = await next!;
    const following = places[i + 1];
    next = following === undefined ? undefined : load(following);
    // Left unawaited while the caller works; a failure is met at the next turn.
    next?.catch(() => undefined);
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
