import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that prints one line of JSON when it is ready, and one for each line of JSON that it is sent. */
export class AnsweringProcess<About, Request, Answer> {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  /** What it said of itself when it was ready. */
  readonly about: About;

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, about: About) {
    this.#child = child;
    this.#lines = lines;
    this.about = about;
  }

  /** What the process writes to its stderr goes to ours. Throws Error when it ends before it is ready. */
  static async open<About, Request, Answer>(
    command: string,
    args: readonly string[],
  ): Promise<AnsweringProcess<About, Request, Answer>> {
    const child = spawn(command, args);
    child.stderr.pipe(process.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return new AnsweringProcess(child, lines, await next(lines));
  }

  ask(request: Request): Promise<Answer> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return next(this.#lines);
  }

  close(): void {
    this.#child.stdin.end();
  }
}

async function next<T>(lines: AsyncIterator<string>): Promise<T> {
  const { value, done } = (await lines.next()) as IteratorResult<string>;
  if (done === true) throw new Error('Expected an answer, got the end of the process; its reason is above');
  return JSON.parse(value as string) as T;
}
