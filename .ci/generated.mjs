/**
 * Regenerates every committed file that comes from another (SIMD kernels, parameter documentation, default
 * configuration); with --check it writes nothing and fails where a committed file differs.
 */
const GENERATORS = [];

const check = process.argv.includes('--check');
let stale = 0;
for (const load of GENERATORS) {
  const { name, generate } = await load();
  const changed = await generate({ check });
  if (changed.length > 0) {
    stale++;
    process.stderr.write(`${name}: ${check ? 'stale' : 'rewritten'}: ${changed.join(', ')}\n`);
  }
}
process.exit(check && stale > 0 ? 1 : 0);
