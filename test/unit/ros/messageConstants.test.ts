import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { NO_PLACE } from '../../../src/core/reference.js';
import { PLACE_STATES, REJECT_REASONS } from '../../../src/ros/resultMessages.js';

/** Constants of a .msg file that begin with a prefix, by value, lower case. */
function constants(file: string, prefix: string): string[] {
  const names: string[] = [];
  for (const [, name, value] of readFileSync(file, 'utf8').matchAll(/^uint\d+ ([A-Z_]+) = (\d+)$/gm))
    if (name!.startsWith(prefix)) names[Number(value)] = name!.slice(prefix.length).toLowerCase();
  return names;
}

describe('constants of the messages', () => {
  it('PlaceMatch.STATE_* are the states', () => {
    expect(constants('msg/PlaceMatch.msg', 'STATE_')).to.deep.equal([...PLACE_STATES]);
  });

  it('PlaceMatch.REJECT_* are the reasons', () => {
    expect(constants('msg/PlaceMatch.msg', 'REJECT_')).to.deep.equal([...REJECT_REASONS]);
  });

  it('PlaceMatch.NO_PLACE is the id of no place', () => {
    expect(constants('msg/PlaceMatch.msg', 'NO_')).to.have.property(String(NO_PLACE), 'place');
  });

  it('CMake generates every message and service', () => {
    const listed = [...readFileSync('CMakeLists.txt', 'utf8').matchAll(/^ {2}((?:msg|srv)\/\w+\.(?:msg|srv))$/gm)];
    expect(listed.map(([, file]) => file)).to.have.length(11);
  });
});
