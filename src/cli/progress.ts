/** A one-line progress bar on stderr; silent where stderr is no terminal. */
export interface Progress {
  update(done: number, note?: string): void;
  end(): void;
}

export function createProgress(title: string, total: number | undefined): Progress {
  if (!process.stderr.isTTY) return { update: () => undefined, end: () => undefined };
  let drawnAtMs = 0;
  const draw = (done: number, note: string): void => {
    const part = total === undefined || total === 0 ? undefined : Math.min(1, done / total);
    const bar = part === undefined ? '' : ` [${'#'.repeat(Math.round(part * 24)).padEnd(24, '.')}]`;
    process.stderr.write(`\r\x1b[K${title}${bar} ${done}${total === undefined ? '' : `/${total}`} ${note}`);
  };
  return {
    update(done, note = '') {
      const now = Date.now();
      // 10 a second is all that an eye can follow; terminals over a slow link suffer from more.
      if (now - drawnAtMs < 100 && done !== total) return;
      drawnAtMs = now;
      draw(done, note);
    },
    end: () => process.stderr.write('\r\x1b[K'),
  };
}
