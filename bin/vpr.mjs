#!/usr/bin/env node
import { main, watchOutput } from '../dist/src/cli/main.js';

watchOutput();
process.exitCode = await main(process.argv.slice(2));
