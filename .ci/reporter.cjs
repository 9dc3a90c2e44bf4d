/** Mocha's spec reporter, plus the final counts as JSON in the file named by the option `file`. */
const { writeFileSync } = require('node:fs');
const { Spec } = require('mocha').reporters;

module.exports = class CountingSpec extends Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once('end', () => writeFileSync(options.reporterOptions.file, JSON.stringify(this.stats)));
  }
};
