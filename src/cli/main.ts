import { COMMANDS } from './commands.js';
import { failureOf, helpOf, parseArguments, UsageError } from './Command.js';

async function overview(): Promise<string> {
  const rows: string[] = [];
  for (const load of Object.values(COMMANDS)) {
    const command = await load();
    rows.push(`  ${command.name.padEnd(18)} ${command.summary}`);
  }
  return `Usage: vpr COMMAND [options]\n\nCommands:\n${rows.join('\n')}\n\n'vpr COMMAND --help' shows the options of one.\n`;
}

/**
 * From now on output that nobody takes (a pipe that is closed) is dropped and the work goes on, and what cannot be written
 * otherwise (a full disk) is said and makes the exit code 1.
 */
export function watchOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return;
    process.stderr.write(`vpr: Expected standard output that can be written, got: ${error.message}\n`);
    // Whatever the command still says of its own success.
    process.once('exit', () => (process.exitCode = 1));
  });
}

/** Runs one command line; returns the exit code: 0 ok, 1 data or result failure, 2 usage. */
export async function main(argv: readonly string[]): Promise<number> {
  const words = argv.slice(0, 2);
  const name = [words.join(' '), words[0] ?? ''].find((candidate) => Object.hasOwn(COMMANDS, candidate));
  try {
    if (name === undefined) {
      if (argv.length === 0 || argv[0] === '--help' || argv[0] === '-h') {
        process.stdout.write(await overview());
        return argv.length === 0 ? 2 : 0;
      }
      throw new UsageError(`Expected one of ${Object.keys(COMMANDS).join(', ')}, got '${argv[0]}'`);
    }
    const command = await COMMANDS[name]!();
    const rest = argv.slice(name.split(' ').length);
    if (rest.includes('--help') || rest.includes('-h')) {
      process.stdout.write(helpOf(command));
      return 0;
    }
    return await command.run(parseArguments(command, rest));
  } catch (error) {
    const { sentence, exitCode } = failureOf(error);
    process.stderr.write(`vpr${name === undefined ? '' : ` ${name}`}: ${sentence}\n`);
    if (exitCode === 2 && name !== undefined) process.stderr.write(`'vpr ${name} --help' shows how.\n`);
    return exitCode;
  }
}
