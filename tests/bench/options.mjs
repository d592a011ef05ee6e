// What make bench was asked for, from the environment; see bench.mjs.
import { CONTENDERS } from './contenders.mjs';
import { JOBS } from './jobs.mjs';

export class UsageError extends Error {}

function readNumbers(name, text) {
    const words = text.split(/[ ,]+/).filter(Boolean);
    for (const word of words)
        if (!/^\d{1,8}(\.\d)?$/.test(word)) throw new UsageError(`${name} must be numbers, not '${text}'`);
    return words.map(Number);
}

function readNames(name, text, known) {
    const words = text.split(/[ ,]+/).filter(Boolean);
    for (const word of words)
        if (!known.includes(word)) throw new UsageError(`${name}: no '${word}'; there are ${known.join(', ')}`);
    return words;
}

const SHORT = {
    runs: 1, seconds: 1, waves: 0, warm: 0.9, concurrency: [1, 64],
    jobs: ['create0', 'create300', 'webhook', 'items', 'balance', 'replay'],
};
const LONG = { runs: 3, seconds: 5, waves: 60, warm: 2, concurrency: null, jobs: Object.keys(JOBS) };

// {jobs, contenders, concurrency (null: each job's own), rows (null:
// no question of flat cost), runs, seconds, waves (see secondsOf), warm
// (seconds that lead to each run and are no part of it), processes, set
// ({'section.key': value} of guichet.conf)}
export function readOptions(env) {
    const short = env.SHORT === '1';
    const base = short ? SHORT : LONG;
    const names = Object.keys(CONTENDERS);
    const one = (name, fallback) => (env[name] ? readNumbers(name, env[name])[0] : fallback);
    return {
        short,
        jobs: env.JOBS ? readNames('JOBS', env.JOBS, Object.keys(JOBS)) : base.jobs,
        contenders: env.CONTENDERS ? readNames('CONTENDERS', env.CONTENDERS, names) : names,
        concurrency: env.CONCURRENCY ? readNumbers('CONCURRENCY', env.CONCURRENCY) : base.concurrency,
        rows: one('ROWS', null),
        runs: one('RUNS', base.runs),
        seconds: one('BENCH_SECONDS', base.seconds),
        waves: one('WAVES', base.waves),
        warm: base.warm,
        processes: one('PROCESSES', null),
        set: Object.fromEntries((env.SET ?? '').split(' ').filter(Boolean).map((word) => word.split(/=(.*)/).slice(0, 2))),
    };
}
