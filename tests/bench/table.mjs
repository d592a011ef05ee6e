// The rows as a table for people.
import { CONTENDERS } from './contenders.mjs';
import { JOBS } from './jobs.mjs';

const RIVALS = ['php', 'node', 'c', 'limit', 'grouped'];

const whole = (number) => number.toFixed(0);
const time = (ms) => (ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : ms.toFixed(0));

const share = (ratio) => ratio.toFixed(ratio < 0.1 ? 3 : 2);

function rateText({ rate, rates }) {
    if (rates.length === 1) return whole(rate);
    return `${whole(rate)} [${whole(Math.min(...rates))}-${whole(Math.max(...rates))}]`;
}

// Guichet's rate over that of each of the others in the same place.
function ratios(row, rows) {
    const rival = (name) => rows.find((r) => r.contender === name && r.job === row.job && r.concurrency === row.concurrency);
    return RIVALS.map((name) => {
        const other = row.contender === 'guichet' ? rival(name) : undefined;
        return other === undefined || other.rate === 0 ? '' : share(row.rate / other.rate);
    });
}

const HEAD = ['at a time', 'contender', 'per second', 'p50 ms', 'p99 ms', 'MiB', 'conns', 'own', 'nginx', 'db', '/PHP', '/Node', '/C',
    '/db', '/db grouped', 'others', ''];

const LEFT = [1, HEAD.length - 1]; // columns of text

function verdict({ wrong, refused }) {
    const problem = wrong.find((text) => text !== '');
    return problem === undefined ? ['verified', refused].filter(Boolean).join(', ') : `WRONG: ${problem}`;
}

function cells(row, rows) {
    const { cpu, memory } = row;
    return [String(row.concurrency), CONTENDERS[row.contender].title, rateText(row), time(row.p50), time(row.p99),
        memory === 0 ? '' : (memory / 2 ** 20).toFixed(0), memory === 0 ? '' : String(row.connections), memory === 0 ? '' : whole(cpu.own), whole(cpu.nginx),
        whole(cpu.database), ...ratios(row, rows), `${whole(100 * row.others)} %`, verdict(row)];
}

export function tableLines(rows) {
    const lines = ['own, nginx, db: microseconds of CPU for each answer; /PHP and so on: Guichet\'s rate over theirs; MiB: PSS of all of',
        'a contender\'s processes; conns: with the database; others: the part of the CPUs that went to programs outside of the benchmark'];
    for (const name of new Set(rows.map((row) => row.job))) {
        const own = rows.filter((row) => row.job === name);
        own.sort((a, b) => a.concurrency - b.concurrency);
        const table = [HEAD, ...own.map((row) => cells(row, rows))];
        const widths = HEAD.map((_, i) => Math.max(...table.map((line) => line[i].length)));
        lines.push('', JOBS[name]?.title ?? name);
        const pad = (cell, i) => (LEFT.includes(i) ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
        for (const line of table) lines.push(`  ${line.map(pad).join('  ')}`.trimEnd());
    }
    return lines;
}
