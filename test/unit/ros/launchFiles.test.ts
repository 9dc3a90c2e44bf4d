import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Prints the literal ARGUMENTS of a launch file as JSON, after compiling it. */
const SCRIPT = `
import ast, json, sys
source = open(sys.argv[1]).read()
tree = ast.parse(source)
compile(tree, sys.argv[1], 'exec')
[arguments] = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == 'ARGUMENTS']
print(json.dumps({'arguments': ast.literal_eval(arguments), 'functions': [n.name for n in tree.body if isinstance(n, ast.FunctionDef)]}))
`;

interface LaunchFile {
  readonly arguments: readonly (readonly [name: string, value: string | null, description: string])[];
  readonly functions: readonly string[];
}

function read(name: string): LaunchFile {
  const result = spawnSync('python3', ['-c', SCRIPT, `launch/${name}`], { encoding: 'utf8' });
  expect(result.status, result.stderr).to.equal(0);
  return JSON.parse(result.stdout) as LaunchFile;
}

describe('launch files', function () {
  this.timeout(20_000);

  for (const [name, expected] of [
    [
      'vpr_node.launch.py',
      'map model mode cameras params_file namespace autostart use_sim_time log_level rviz shared_memory respawn',
    ],
    ['replay.launch.py', 'bag map model mode cameras params_file rate results results_bag lockstep'],
  ] as const)
    it(`${name} compiles; its arguments have descriptions, and each is used`, () => {
      const file = read(name);
      expect(file.functions).to.include('generate_launch_description');
      expect(file.arguments.map(([argument]) => argument)).to.deep.equal(expected.split(' '));
      const source = readFileSync(`launch/${name}`, 'utf8');
      for (const [argument, , description] of file.arguments) {
        expect(description, argument).to.match(/\S.*\.$/);
        // Once where it is declared, once at least where it is read.
        expect(source.split(`'${argument}'`).length - 1, argument).to.be.at.least(2);
      }
    });

  it('defaults to the shared-memory profile and respawn, and leaves to params_file what nobody asked for', () => {
    const values = new Map(read('vpr_node.launch.py').arguments.map(([name, value]) => [name, value]));
    for (const name of ['shared_memory', 'respawn']) expect(values.get(name), name).to.equal('true');
    for (const name of ['map', 'model', 'mode', 'cameras', 'autostart', 'use_sim_time'])
      expect(values.get(name), name).to.equal('');
  });

  it('replay needs a bag, and nothing else', () => {
    expect(
      read('replay.launch.py')
        .arguments.filter(([, value]) => value === null)
        .map(([name]) => name),
    ).to.deep.equal(['bag']);
  });
});
