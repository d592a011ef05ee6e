// What is in a contender's database before a run, and what must be in it afterwards: as much as was
// answered, and money that adds up. One object for Guichet's tables, one for those of plain.sql.
import fs from 'node:fs';
import { AMOUNT, COUNT, FIRST_ASSET, FIRST_BUYER, FIRST_SELLER, OPENING, PRICE } from './users.mjs';

// Tables of Guichet's that a run does not begin without.
const KEPT = ['users', 'api_keys', 'schema_migrations', 'ledger_accounts', 'provider_health', 'receivers'];
const SIDES = `(SELECT ${FIRST_BUYER} + seq AS user_id FROM seq_0_to_${COUNT - 1}
    UNION ALL SELECT ${FIRST_SELLER} + seq FROM seq_0_to_${COUNT - 1}) sides`;

const orderOf = (i) => `PAY_01M8N0${String(i).padStart(20, '0')}`;

// Names of numbers that are not what they should be (a number, or two for from and to), as one line; '' when all are.
function compare(found, expected) {
    return Object.entries(expected)
        .filter(([name, bounds]) => Number(found[name]) < [bounds].flat()[0] || Number(found[name]) > [bounds].flat().at(-1))
        .map(([name, bounds]) => `${name} ${found[name]}, not ${[...new Set([bounds].flat())].join(' to ')}`)
        .join('; ');
}

// So many as were answered, and at most those that were refused besides.
const stored = ({ answered, refused }, before = 0) => [before + answered, before + answered + refused];

function makeAsk(pool, name) {
    return async function ask(sql) {
        const connection = await pool.getConnection();
        try {
            const [rows] = await connection.query(`USE ${name}; ${sql}`);
            return rows.at(-1)?.[0];
        } finally {
            connection.release();
        }
    };
}

export function guichetBooks(pool) {
    const ask = makeAsk(pool, 'guichet');
    const seen = `SELECT (SELECT COUNT(*) FROM payments) AS payments,
        (SELECT COUNT(*) FROM payments WHERE status = 'completed') AS completed,
        (SELECT COUNT(*) FROM attempts) AS attempts,
        (SELECT COUNT(*) FROM attempt_answers WHERE outcome = 'pending') AS answers,
        (SELECT COUNT(*) FROM inbox WHERE state = 'done') AS notices,
        (SELECT COUNT(*) FROM ledger_postings WHERE effect = 'credit') AS credits,
        (SELECT COUNT(*) FROM items WHERE state = 0 AND owner_id < ${FIRST_SELLER}) AS sold,
        (SELECT COALESCE(SUM(amount), 0) FROM ledger_entries) AS ledger,
        (SELECT COALESCE(SUM(amount), 0) FROM ledger_entries e JOIN ledger_accounts USING (account_id)
            JOIN ledger_postings USING (posting_id) WHERE kind = 'user' AND effect = 'credit' AND amount > 0) AS credited,
        (SELECT COUNT(*) FROM ledger_accounts JOIN balances USING (account_id) JOIN (SELECT account_id, SUM(amount) AS total
            FROM ledger_entries GROUP BY account_id) t USING (account_id) WHERE kind = 'user' AND balance <> total) AS unbalanced`;

    const makePayments = (count) => ask(`
        INSERT INTO payments (payment_id, user_id, provider, type, amount, currency, tos_accepted_at, client_ip, request_id, expires_at)
            SELECT CONCAT('PAY_01M8N0', LPAD(seq, 20, '0')), ${FIRST_BUYER} + seq % ${COUNT}, 'payviox', 'balance', ${AMOUNT}, 'USD',
                NOW(3), '127.0.0.1', 'bench', NOW(3) + INTERVAL 1 HOUR FROM seq_1_to_${count};
        INSERT INTO attempts (payment_id, number, provider, reference, deadline_at)
            SELECT payment_id, 1, 'payviox', payment_id, NOW(3) FROM payments;
        INSERT INTO attempt_answers (attempt_id, outcome, definite, http_status, provider_reference, url)
            SELECT attempt_id, 'pending', 1, 201, CONCAT('cs_', payment_id), CONCAT('https://secure.bench.test/cs_', payment_id)
                FROM attempts;
        INSERT INTO payment_checks (payment_id, due_at) SELECT payment_id, NOW(3) + INTERVAL 10 MINUTE FROM payments`);

    const makeItems = (count) => ask(`
        INSERT INTO items (asset_id, owner_id, state, price, name, game)
            SELECT ${FIRST_ASSET} + seq, ${FIRST_SELLER} + seq % ${COUNT}, 1, ${PRICE}, CONCAT('Item ', seq), 440 FROM seq_1_to_${count}`);

    async function empty() {
        const [tables] = await pool.query(`SELECT table_name AS name FROM information_schema.tables
            WHERE table_schema = 'guichet' AND table_type = 'BASE TABLE' AND table_name NOT IN (?)`, [KEPT]);
        await ask(`SET FOREIGN_KEY_CHECKS = 0; ${tables.map(({ name }) => `TRUNCATE ${name};`).join(' ')} SET FOREIGN_KEY_CHECKS = 1`);
        await ask(`START TRANSACTION;
            INSERT INTO ledger_postings (document_id, effect) SELECT CONCAT('OPENING_', user_id), 'opening' FROM ${SIDES};
            INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency, balance_after)
                SELECT posting_id, 1, account_id, ${OPENING}, 'USD', ${OPENING} FROM ledger_postings
                JOIN ledger_accounts ON kind = 'user' AND owner = SUBSTRING(document_id, 9) AND currency = 'USD';
            INSERT INTO ledger_entries (posting_id, line, account_id, amount, currency)
                SELECT posting_id, 2, (SELECT account_id FROM ledger_accounts WHERE kind = 'equity' AND currency = 'USD'),
                ${-OPENING}, 'USD' FROM ledger_postings;
            INSERT INTO balances (account_id, balance) SELECT account_id, amount FROM ledger_entries WHERE line = 1; COMMIT`);
    }

    // verify: kind (of the job), answered, before (rows laid out), made ({answered, refused} creates), apart (answers
    // are rows of their own). Resolves to what is wrong, '' for nothing.
    return {
        orderOf,
        prepare: () => ask(`INSERT IGNORE INTO users (user_id, name, email)
                SELECT user_id, 'bench', 'bench@example.test' FROM ${SIDES};
            INSERT IGNORE INTO ledger_accounts (kind, owner, currency) SELECT 'user', user_id, 'USD' FROM ${SIDES}`),
        empty,
        makePayments,
        makeItems,
        async verify(kind, { answered, before, made }) {
            const found = await ask(seen);
            const money = { ledger: 0, unbalanced: 0 };
            const expected = {
                create: { payments: stored(made), attempts: stored(made), answers: answered },
                webhook: { payments: stored(made, before), completed: answered, notices: answered, credits: answered,
                    credited: answered * AMOUNT },
                items: { payments: answered, completed: answered, sold: answered, credits: answered },
                replay: { payments: COUNT, answers: COUNT },
                balance: { payments: 0 },
            };
            return compare(found, { ...expected[kind], ...money });
        },
    };
}

export function plainBooks(pool, name) {
    const ask = makeAsk(pool, name);
    const schema = fs.readFileSync(new URL('plain.sql', import.meta.url), 'utf8');
    const seen = `SELECT (SELECT COUNT(*) FROM payments) AS payments,
        (SELECT COUNT(*) FROM payments WHERE status = 'completed') AS completed,
        (SELECT COUNT(*) FROM payments WHERE status = 'pending' AND url IS NOT NULL) AS answers,
        (SELECT COUNT(*) FROM answers) AS apart,
        (SELECT COUNT(*) FROM notices) AS notices,
        (SELECT COUNT(*) FROM items WHERE NOT on_sale AND owner_id < ${FIRST_SELLER}) AS sold,
        (SELECT COALESCE(SUM(amount), 0) FROM ledger) AS ledger,
        (SELECT COUNT(DISTINCT payment_id) FROM ledger) AS credits,
        (SELECT COALESCE(SUM(amount), 0) FROM ledger WHERE account > 1 AND amount > 0) AS credited,
        (SELECT COUNT(*) FROM balances b LEFT JOIN (SELECT account, SUM(amount) AS total FROM ledger GROUP BY account) t
            ON t.account = b.user_id WHERE b.balance <> ${OPENING} + COALESCE(t.total, 0)) AS unbalanced`;
    return {
        orderOf: (i) => `PAY_${i}`,
        prepare: () => ask(`${schema}
            INSERT INTO users (user_id) SELECT user_id FROM ${SIDES}`),
        empty: () => ask(`TRUNCATE payments; TRUNCATE answers; TRUNCATE ledger; TRUNCATE items; TRUNCATE payment_items;
            TRUNCATE notices; TRUNCATE balances; INSERT INTO balances SELECT user_id, ${OPENING} FROM users`),
        makePayments: (count) => ask(`INSERT INTO payments (payment_id, user_id, type, amount, status, provider_reference, url)
            SELECT seq, ${FIRST_BUYER} + seq % ${COUNT}, 'balance', ${AMOUNT}, 'pending', CONCAT('cs_PAY_', seq),
                CONCAT('https://secure.bench.test/cs_PAY_', seq) FROM seq_1_to_${count}`),
        makeItems: (count) => ask(`INSERT INTO items SELECT ${FIRST_ASSET} + seq, ${FIRST_SELLER} + seq % ${COUNT}, 1, ${PRICE}
            FROM seq_1_to_${count}`),
        async verify(kind, { answered, before, made, apart }) {
            const found = await ask(seen);
            const money = { ledger: 0, unbalanced: 0 };
            const expected = {
                create: { payments: stored(made), answers: apart ? 0 : answered, apart: apart ? answered : 0 },
                webhook: { payments: stored(made, before), completed: answered, notices: answered, credits: answered,
                    credited: answered * AMOUNT },
                items: { payments: answered, completed: answered, sold: answered, credits: answered },
                replay: { payments: COUNT, answers: COUNT },
                balance: { payments: 0 },
            };
            return compare(found, { ...expected[kind], ...money });
        },
    };
}
