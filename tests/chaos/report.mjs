// What a run has to tell, as lines for people.
import { sum } from './run.mjs';

const LISTED = 15;

const listed = (table) =>
    Object.entries(table).sort(([, a], [, b]) => b - a).map(([name, number]) => `${name} ${number}`).join(', ') || 'none';

const row = (name, text) => `  ${name.padEnd(16)} ${text}`;

function problemLines(title, list) {
    if (list.length === 0) return [];
    const more = list.length > LISTED ? [`    … and ${list.length - LISTED} more`] : [];
    return [`  ${title}:`, ...list.slice(0, LISTED).map((line) => `    ${line}`), ...more];
}

// The command that does the same again.
export function replayLine({ seed, seconds, requests, clients }) {
    const variant = process.env.BIN?.match(/build\/(\w+)$/)?.[1];
    const more = (requests > 0 ? ` REQUESTS=${requests}` : '') + (variant ? ` VARIANT=${variant}` : '');
    return `make chaos SEED=${seed} DURATION=${seconds} CLIENTS=${clients}${more}`;
}

export function reportLines(result) {
    const { seen, verdict, kills = {}, calm } = result;
    const { lost, doubled, wrong } = verdict;
    const lines = [
        row('seed', `${result.seed}, ${result.clients} clients, ${result.seconds} s`),
        row('load held', `${seen.requests} requests, ${(seen.requests / (result.loadMs / 1000)).toFixed(1)}/s; ` +
            `${seen.broken} without an answer`),
        ...Object.entries(seen.statuses).map(([kind, statuses]) => row(`  ${kind}`, listed(statuses))),
        row('notices', `${seen.notices} sent by the provider`),
        row('payers', listed(seen.acts)),
        row('faults', `${sum(seen.faults)}: ${listed(seen.faults)}`),
        row('kills', `${sum(kills)}: ${listed(kills)}`),
        row('payments', listed(Object.fromEntries((verdict.statuses ?? []).map((s) => [s.status, s.number])))),
        row('charges', `${verdict.charges} by the provider's journal`),
        row('calm after', calm ? `${(calm.ms / 1000).toFixed(1)} s, ${calm.rounds} rounds` : 'never'),
        row('longest unknown', `${((verdict.unknownMs ?? 0) / 1000).toFixed(1)} s until it was settled`),
        row('checked again', `${verdict.answers} acknowledged answers`),
        row('verdict', `${lost.length} lost, ${doubled.length} double, ${verdict.stuck} stuck, ` +
            `${wrong.length} other problems: ${result.passed ? 'PASSED' : 'FAILED'}`),
        ...problemLines('lost', lost),
        ...problemLines('double', doubled),
        ...problemLines('problems', wrong),
    ];
    if (!result.passed) lines.push(row('replay', replayLine(result)));
    if (result.home) lines.push(row('kept', result.home));
    return lines;
}
