// make bench: JOBS, CONTENDERS, CONCURRENCY (lists; all by default), RUNS (3), SECONDS (5, of each run),
// SHORT=1 (three minutes: 1 and 64 at a time, one short run each), PROCESSES (Guichet's), SET
// ("section.key=value ..." for guichet.conf). The table goes to build/bench/table.txt and .json as well.
// Ends with 0 when every run was verified.
import fs from 'node:fs';
import path from 'node:path';
import { BIN } from '../e2e/lib/instance.mjs';
import { readOptions, UsageError } from './options.mjs';
import { runBench } from './run.mjs';
import { tableLines } from './table.mjs';

const bin = path.join(BIN, 'bench');
let options;
try {
    options = readOptions(process.env);
} catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`bench: ${error.message}`);
    process.exit(2);
}
const begun = Date.now();
const say = (line) => console.log(`bench: ${line}`);
const rows = await runBench({ ...options, bin, say });
const lines = tableLines(rows);
fs.writeFileSync(path.join(bin, 'table.txt'), `${lines.join('\n')}\n`);
fs.writeFileSync(path.join(bin, 'table.json'), `${JSON.stringify(rows, null, 1)}\n`);
for (const line of lines) console.log(line);
say(`${((Date.now() - begun) / 1000).toFixed(0)} s; also in ${path.relative('', bin)}/table.txt and table.json`);
process.exit(rows.every((row) => row.wrong === '') ? 0 : 1);
