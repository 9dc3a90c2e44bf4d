import { parametersMarkdown, parametersYaml } from '../../config/documentation.js';
import { PARAMETERS, CAMERA_PARAMETERS } from '../../config/parameters.js';
import type { Command } from '../Command.js';

export const command: Command = {
  name: 'parameters',
  summary: 'Print the table of the node’s parameters.',
  positionals: '',
  positionalCount: [0, 0],
  options: {
    yaml: { type: 'boolean', description: 'as a ROS 2 parameter file (config/vpr_node.yaml)' },
    json: { type: 'boolean', description: 'as JSON' },
  },
  run(args) {
    const json = JSON.stringify({ parameters: PARAMETERS, cameraParameters: CAMERA_PARAMETERS }, undefined, 2);
    process.stdout.write(args.flag('json') ? `${json}\n` : args.flag('yaml') ? parametersYaml() : parametersMarkdown());
    return Promise.resolve(0);
  },
};
