// make chaos: DURATION (seconds, 300), SEED (a number; one that nobody chose by default), CLIENTS (24),
// REQUESTS (go on until there are so many), KEEP=1 (keep the folder of a good run too).
// Ends with 0 when nothing was lost and nothing happened twice. The same seed makes the same plan:
// what clients ask, what payers do, which faults, whom to kill and when. What it meets is up to
// the machine's clock, so a rare failure may take more than one replay.
import { digestOf } from './plan.mjs';
import { reportLines, replayLine } from './report.mjs';
import { runChaos } from './run.mjs';

function readNumber(name, fallback) {
    const text = process.env[name] || String(fallback);
    if (/^\d{1,9}$/.test(text)) return Number(text);
    console.error(`chaos: ${name} must be a number, not '${text}'`);
    process.exit(2);
}

const say = (line) => console.log(`chaos: ${line}`);
const options = {
    seconds: readNumber('DURATION', 300),
    seed: readNumber('SEED', (Date.now() % 1_000_000) + 1),
    requests: readNumber('REQUESTS', 0),
    clients: readNumber('CLIENTS', 24),
    say,
    keep: process.env.KEEP === '1',
};
say(`seed ${options.seed}, plan ${digestOf(options.seed)}: ${replayLine(options)}`);
const result = await runChaos(options).catch((error) => {
    console.error(`chaos: could not begin: ${error.message}`);
    process.exit(2);
});
for (const line of reportLines(result)) console.log(line);
process.exit(result.passed ? 0 : 1);
