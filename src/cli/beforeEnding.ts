const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Has work done where a signal ends the process, which then ends by that signal as it would have; synchronous, for nothing
 * comes after it. Returns what calls it off again.
 */
export function beforeEnding(work: () => void): () => void {
  const callOff = (): void => SIGNALS.forEach((signal) => process.off(signal, end));
  const end = (signal: NodeJS.Signals): void => {
    callOff();
    try {
      work();
    } finally {
      process.kill(process.pid, signal);
    }
  };
  SIGNALS.forEach((signal) => process.on(signal, end));
  return callOff;
}
