import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A process that prints one line of JSON when it is ready and one for each line of JSON that it is sent. */
export class AnsweringProcess {
  #child;
  #answers;

  constructor(command, args) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  static async open(command, args) {
    const process = new AnsweringProcess(command, args);
    process.about = await process.#next();
    return process;
  }

  /** What it said of itself when it was ready. */
  about = undefined;

  ask(request) {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.#next();
  }

  close() {
    this.#child.stdin.end();
  }

  async #next() {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('Expected an answer, got the end of the process; its error is above');
    return JSON.parse(value);
  }
}
