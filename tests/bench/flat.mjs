// make bench ROWS=10000000: does the cost stay flat? The same jobs with ten thousand payments in the
// books and with as many as ROWS, all paid, ten of each user.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openArena } from './arena.mjs';
import { CONTENDERS } from './contenders.mjs';
import { JOBS } from './jobs.mjs';
import { measure } from './measure.mjs';
import { median } from './run.mjs';
import { AMOUNT, COUNT, FIRST_BUYER, makeNotices } from './users.mjs';

const SMALL = 10_000;
const EACH = 10; // payments of a user
const BYTES = 1700; // that MariaDB keeps in memory for each payment: what is looked at
const FLAT = 0.1; // so much of the rate may be lost
const GUESS = 12_000; // notices a second
const JOBS_OF_FLAT = { create: JOBS.create0, webhook: JOBS.webhook, history: { ...JOBS.balance, kind: 'history' } };

const paidId = "CONCAT('PAY_01K000', LPAD(seq, 20, '0'))";
const userOf = (users) => `${FIRST_BUYER} + seq % ${users}`;
const noticeOf = (i) => `PAY_01M8N0${String(i).padStart(20, '0')}`;

// One statement for each table, which is empty: then MariaDB sorts each index and writes it once.
const fillings = (rows, users) => [
    `users (user_id, name, email) SELECT ${FIRST_BUYER} + seq, 'bench', 'bench@example.test' FROM seq_0_to_${users - 1}`,
    `ledger_accounts (account_id, kind, owner, currency) SELECT 1, 'provider', 'payviox', 'USD' UNION ALL
        SELECT 2 + seq, 'user', ${FIRST_BUYER} + seq, 'USD' FROM seq_0_to_${users - 1}`,
    `payments (payment_id, user_id, provider, type, amount, currency, status, tos_accepted_at, client_ip, request_id,
            created_at, expires_at, paid_by)
        SELECT ${paidId}, ${userOf(users)}, 'payviox', 'balance', ${AMOUNT}, 'USD', 'completed', NOW(3), '127.0.0.1', 'bench',
            NOW(3) - INTERVAL 9 DAY, NOW(3) - INTERVAL 8 DAY, 1 FROM seq_1_to_${rows}`,
    `attempts (attempt_id, payment_id, number, provider, reference, deadline_at)
        SELECT seq, ${paidId}, 1, 'payviox', ${paidId}, NOW(3) FROM seq_1_to_${rows}`,
    `attempt_answers (attempt_id, outcome, definite, http_status, provider_reference, url)
        SELECT seq, 'pending', 1, 201, CONCAT('cs_', ${paidId}), CONCAT('https://secure.bench.test/cs_', ${paidId}) FROM seq_1_to_${rows}`,
    `events (payment_id, kind, detail, source) SELECT ${paidId}, 'completed', 'payviox says succeeded', 'webhook' FROM seq_1_to_${rows}`,
    `inbox (provider, body_hash, reference, state, body, received_at)
        SELECT 'payviox', UNHEX(SHA2(seq, 256)), ${paidId}, 'done', ${paidId}, NOW(3) - INTERVAL 9 DAY FROM seq_1_to_${rows}`,
    `outbox (payment_id, topic) SELECT ${paidId}, 'payment.completed' FROM seq_1_to_${rows}`,
    `ledger_postings (posting_id, document_id, effect) SELECT seq, ${paidId}, 'credit' FROM seq_1_to_${rows}`,
    `ledger_entries (posting_id, line, account_id, amount, currency, balance_after)
        SELECT 1 + (seq - 1) DIV 2, 1 + seq % 2, IF(seq % 2, 2 + (1 + (seq - 1) DIV 2) % ${users}, 1),
            IF(seq % 2, ${AMOUNT}, -${AMOUNT}), 'USD', IF(seq % 2, ${AMOUNT} * (1 + ((seq - 1) DIV 2) DIV ${users}), NULL)
        FROM seq_1_to_${2 * rows}`,
    `balances (account_id, balance) SELECT account_id, SUM(amount) FROM ledger_entries WHERE account_id > 1 GROUP BY account_id`,
];

async function fill(pool, rows, say) {
    const connection = await pool.getConnection();
    const users = Math.max(COUNT, rows / EACH);
    try {
        await connection.query('USE guichet; SET FOREIGN_KEY_CHECKS = 0, UNIQUE_CHECKS = 0');
        const [tables] = await connection.query("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'guichet'"
            + " AND table_type = 'BASE TABLE' AND table_name NOT IN ('schema_migrations', 'provider_health', 'receivers')");
        for (const { name } of tables) await connection.query(`TRUNCATE ${name}`);
        for (const filling of fillings(rows, users)) {
            const begun = Date.now();
            await connection.query(`INSERT INTO ${filling}`);
            if (rows > SMALL) say(`  ${filling.match(/^\w+/)[0]} filled in ${((Date.now() - begun) / 1000).toFixed(0)} s`);
        }
    } finally {
        connection.destroy(); // and its settings with it
    }
}

// The last id of each table that grows: what comes later is the run's.
const LAST = `SELECT (SELECT COALESCE(MAX(attempt_id), 0) FROM attempts) AS attempts,
    (SELECT COALESCE(MAX(answer_id), 0) FROM attempt_answers) AS answers,
    (SELECT COALESCE(MAX(inbox_id), 0) FROM inbox) AS notices,
    (SELECT COALESCE(MAX(posting_id), 0) FROM ledger_postings) AS postings`;

const since = (last) => `SELECT
    (SELECT COUNT(*) FROM attempts JOIN payments USING (payment_id) WHERE attempt_id > ${last.attempts}) AS payments,
    (SELECT COUNT(*) FROM attempt_answers WHERE answer_id > ${last.answers}) AS answers,
    (SELECT COUNT(*) FROM inbox WHERE inbox_id > ${last.notices} AND state = 'done') AS notices,
    (SELECT COUNT(*) FROM ledger_postings WHERE posting_id > ${last.postings}) AS credits,
    (SELECT COALESCE(SUM(amount), 0) FROM ledger_entries WHERE posting_id > ${last.postings}) AS ledger,
    (SELECT COUNT(*) FROM (SELECT DISTINCT account_id FROM ledger_entries WHERE posting_id > ${last.postings}) a
        JOIN balances b USING (account_id) WHERE b.balance <> (SELECT SUM(amount) FROM ledger_entries e
        WHERE e.account_id = b.account_id)) AS unbalanced`;

// Payments that wait for their notices, numbered from `first` on.
const layOut = (first, count) => `INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, tos_accepted_at,
        client_ip, request_id, expires_at)
        SELECT CONCAT('PAY_01M8N0', LPAD(seq, 20, '0')), ${FIRST_BUYER} + seq % ${COUNT}, 'payviox', 'balance', ${AMOUNT}, 'USD',
            NOW(3), '127.0.0.1', 'bench', NOW(3) + INTERVAL 1 HOUR FROM seq_${first}_to_${first + count - 1};
    INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)
        SELECT CONCAT('PAY_01M8N0', LPAD(seq, 20, '0')), 1, 'payviox', CONCAT('PAY_01M8N0', LPAD(seq, 20, '0')), NOW(3)
            FROM seq_${first}_to_${first + count - 1};
    INSERT INTO attempt_answers (attempt_id, outcome, definite, http_status, provider_reference, url)
        SELECT attempt_id, 'pending', 1, 201, CONCAT('cs_', reference), CONCAT('https://secure.bench.test/cs_', reference)
            FROM attempts WHERE reference BETWEEN '${noticeOf(first)}' AND '${noticeOf(first + count - 1)}' AND provider = 'payviox'`;

async function runJob(arena, contender, ask, kind, { seconds, warm, concurrency, next }) {
    const count = kind === 'webhook' ? Math.ceil(GUESS * (seconds + warm)) : 0;
    const lines = count > 0 ? path.join(arena.home, 'lines.txt') : null;
    if (count > 0) {
        await ask(layOut(next.first, count));
        fs.writeFileSync(lines, `${makeNotices(arena.env.BENCH_WEBHOOK_KEY, count, (i) => noticeOf(next.first + i - 1)).join('\n')}\n`);
        next.first += count;
    }
    const last = await ask(LAST);
    const found = await measure({ arena, contender, job: JOBS_OF_FLAT[kind], concurrency, seconds, warm, tokens: arena.tokensFile, lines });
    const { answered } = found;
    const stored = await ask(since(last));
    const expected = { create: { payments: answered, answers: answered, credits: 0 }, webhook: { notices: answered, credits: answered },
        history: { payments: 0, credits: 0 } }[kind];
    const wrong = Object.entries({ ...expected, ledger: 0, unbalanced: 0 }).filter(([name, number]) => Number(stored[name]) !== number)
        .map(([name, number]) => `${name} ${stored[name]}, not ${number}`);
    for (const problem of ['refused', 'broken', 'cut', 'ran_out']) if (found[problem] > 0) wrong.push(`${found[problem]} ${problem}`);
    return { ...found, wrong: wrong.join('; ') };
}

async function measureWith(arena, rows, { runs, seconds, warm, concurrency, say }) {
    const contender = CONTENDERS.guichet.make(arena);
    const ask = async (sql) => (await arena.pool.query(`USE guichet; ${sql}`))[0].at(-1)?.[0];
    say(`filling the books with ${rows} payments`);
    await fill(arena.pool, rows, say);
    await contender.start(contender.shapeOf({ concurrency, slow: false }));
    const next = { first: 1 };
    const results = [];
    for (const kind of Object.keys(JOBS_OF_FLAT)) {
        const found = [];
        for (let number = 1; number <= runs; number++) {
            const result = await runJob(arena, contender, ask, kind, { seconds, warm, concurrency, next });
            found.push(result);
            say(`  ${rows} rows, ${kind}, run ${number} of ${runs}: ${result.rate.toFixed(0)}/s, `
                + `${(100 * result.others).toFixed(0)} % of the CPU went to others${result.wrong && `, WRONG: ${result.wrong}`}`);
        }
        const middle = (pick) => median(found.map(pick));
        results.push({ kind, rows, rate: middle((run) => run.rate), p99: middle((run) => run.p99), own: middle((run) => run.cpu.own),
            database: middle((run) => run.cpu.database), wrong: found.map((run) => run.wrong) });
    }
    await contender.stop();
    return results;
}

// Options as for runBench(), and rows. Resolves to the results for few and many rows.
export async function runFlat(options) {
    const concurrency = options.concurrency?.[0] ?? 64;
    const memory = Math.floor(Math.min(0.7 * os.totalmem(), Math.max(2 ** 31, options.rows * BYTES)));
    const arena = await openArena({ ...options, ledger: false, memory });
    try {
        await arena.setDelay(0);
        const few = await measureWith(arena, SMALL, { ...options, concurrency });
        return [...few, ...(await measureWith(arena, options.rows, { ...options, concurrency }))];
    } finally {
        await arena.stop();
    }
}

export function flatLines(results) {
    const lines = ['job       payments per second  p99 ms  own us  db us  rate over that of few'];
    for (const { kind, rows, rate, p99, own, database, wrong } of results) {
        const few = results.find((result) => result.kind === kind);
        const problem = wrong.find((text) => text !== '');
        const share = rate / few.rate;
        const ratio = few.rows === rows ? '' : `${share.toFixed(2)}${share >= 1 - FLAT ? '' : ' NOT FLAT,'} `;
        lines.push(`${kind.padEnd(8)} ${String(rows).padStart(9)} ${rate.toFixed(0).padStart(10)} ${p99.toFixed(1).padStart(7)}`
            + ` ${own.toFixed(0).padStart(7)} ${database.toFixed(0).padStart(6)}`
            + `  ${ratio}${problem === undefined ? 'verified' : `WRONG: ${problem}`}`);
    }
    return lines;
}
