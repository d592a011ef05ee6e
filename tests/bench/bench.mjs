// make bench: JOBS, CONTENDERS, CONCURRENCY (lists; all by default), RUNS (3), SECONDS (5, of each run),
// WAVES (60: the same, of a run in which a thousand or more wait for a slow provider), SHORT=1 (three minutes:
// 1 and 64 at a time, one short run each), PROCESSES (Guichet's), SET ("section.key=value ..." for guichet.conf).
// The table goes to build/bench/table.txt and .json as well.
// ROWS=10000000: Guichet alone, with few payments in its books and with so many; see flat.mjs.
// Ends with 0 when every run was verified.
import fs from 'node:fs';
import path from 'node:path';
import { BIN } from '../e2e/lib/instance.mjs';
import { flatLines, runFlat } from './flat.mjs';
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
const flat = options.rows !== null;
const rows = await (flat ? runFlat : runBench)({ ...options, bin, say });
const lines = (flat ? flatLines : tableLines)(rows);
const name = path.join(bin, flat ? 'flat' : 'table');
fs.writeFileSync(`${name}.txt`, `${lines.join('\n')}\n`);
fs.writeFileSync(`${name}.json`, `${JSON.stringify(rows, null, 1)}\n`);
for (const line of lines) console.log(line);
say(`${((Date.now() - begun) / 1000).toFixed(0)} s; also in ${path.relative('', name)}.txt and .json`);
process.exit(rows.every((row) => row.wrong.every((text) => text === '')) ? 0 : 1);
