// The oracle: the provider's own journal against our rows, and both against what the clients were
// told. It counts what was lost and what happened twice; assertBooks then compares the books.
import { assertBooks } from '../e2e/lib/books.mjs';
import { eventually } from '../e2e/lib/client.mjs';
import { ownersOf } from './calm.mjs';
import { isPaid } from './load.mjs';

const LAST_NOTICE_MS = 50_000; // the provider's last attempt of a notice

const ROWS = `SELECT p.payment_id AS id, CAST(user_id AS CHAR) AS user, status,
        NOT EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = p.payment_id) AS own,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'credit') AS credits,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'surplus') AS surplus,
        (SELECT GROUP_CONCAT(url SEPARATOR ' ') FROM attempts a JOIN attempt_answers d USING (attempt_id)
            WHERE a.payment_id = p.payment_id) AS urls
    FROM payments p`;

// How long a create stayed unknown: from its intent, or its first answer, to the definite one.
const LONGEST_UNKNOWN = `SELECT CAST(COALESCE(MAX(TIMESTAMPDIFF(MICROSECOND, u.created_at, d.created_at)), 0) / 1000 AS SIGNED)
    FROM attempt_answers u JOIN attempt_answers d ON d.attempt_id = u.attempt_id AND d.definite = 1
    WHERE u.outcome = 'unknown'`;

function groupBy(list, nameOf) {
    const groups = new Map();
    for (const one of list) {
        if (!groups.has(nameOf(one))) groups.set(nameOf(one), []);
        groups.get(nameOf(one)).push(one);
    }
    return groups;
}

// fn of every element, sixteen at a time.
async function overAll(list, fn) {
    const left = [...list];
    const take = async () => {
        for (let next; (next = left.pop()) !== undefined; ) await fn(next);
    };
    await Promise.all(Array.from({ length: 16 }, take));
}

export async function judge(shop, seen, open) {
    const lost = [];
    const doubled = [];
    const wrong = [...seen.problems];
    const rows = new Map((await shop.rows(ROWS)).map((row) => [row.id, row]));
    const sessions = await shop.sandbox.sessions();
    const owners = await ownersOf(shop);
    const charged = sessions.filter((session) => session.charges > 0);

    function judgeCharges() {
        const paid = new Map();
        for (const { order_id: reference, charges } of charged) {
            const id = owners.get(reference);
            const row = rows.get(id);
            paid.set(id, (paid.get(id) ?? 0) + charges);
            if (charges > 1) doubled.push(`${reference}: charged ${charges} times`);
            if (row === undefined) lost.push(`${reference}: charged, and no payment of ours`);
            else if (!isPaid(row.status)) lost.push(`${id}: charged, and ${row.status}`);
        }
        for (const { id, own, credits, surplus } of rows.values()) {
            const times = own ? 1 : paid.get(id) ?? 0;
            if (credits + surplus > times) doubled.push(`${id}: ${credits + surplus} credits, ${times} charges`);
            if (times > 1 + surplus) lost.push(`${id}: ${times} charges, ${credits + surplus} credits`);
        }
    }

    // One key is one payment, so it is charged once at the most.
    async function judgeKeys() {
        const ids = await shop.rows(
            'SELECT idempotency_key AS name, payment_id AS id FROM idempotency_keys WHERE payment_id IS NOT NULL');
        const byKey = new Map(ids.map(({ name, id }) => [name, id]));
        for (const [key, { id }] of seen.keys)
            if (byKey.get(key) !== id) lost.push(`${key}: belonged to ${id}, and now to ${byKey.get(key)}`);
    }

    // One key is one refund, told or not.
    async function judgeRefunds() {
        const booked = await shop.rows(
            'SELECT payment_id AS id, COUNT(*) AS number FROM refunds WHERE operator_id IS NOT NULL GROUP BY payment_id');
        for (const { id, number } of booked) {
            const asked = seen.refundKeys.get(id)?.size ?? 0;
            if (number > asked) doubled.push(`${id}: ${number} refunds, and ${asked} were asked for`);
        }
    }

    // Everything that a client was told with a 2xx.
    async function judgeAnswers() {
        await overAll(seen.keys, async ([key, { user, path, body, text, id }]) => {
            const again = await shop.client.request('POST', path, { body, token: user.jwt, key });
            const same = again.status === 200 && again.text === text && again.headers.location === `/payments/${id}`;
            if (!same || again.headers['idempotent-replayed'] !== 'true')
                lost.push(`${key}: was told ${text}, and now ${again.status} ${again.text}`);
        });
        await overAll(seen.refunds, async ([key, { path, body, text }]) => {
            const again = await shop.client.request('POST', path, { body, token: shop.users.olivia.jwt, key });
            if (again.status !== 200 || again.text !== text)
                lost.push(`${key}: was told ${text}, and now ${again.text}`);
        });
        for (const { user, id, url } of seen.plain) {
            const row = rows.get(id);
            if (row?.user !== user.id) lost.push(`${id}: was acknowledged, and there is no such payment`);
            else if (url !== undefined && !row.urls?.split(' ').includes(url))
                lost.push(`${id}: was told ${url}, and now ${row.urls}`);
        }
        for (const [id] of seen.completed)
            if (!isPaid(rows.get(id)?.status)) lost.push(`${id}: was said to be completed, and is ${rows.get(id)?.status}`);
    }

    // A notice that does not fit waits for a person: each that was made to lie, when it has arrived
    // at last, and no other.
    async function judgeReviews() {
        let reviews;
        const lied = new Set(seen.lies.values());
        const unheard = () => {
            const heard = new Set(reviews.map((review) => review.id));
            return [...seen.lies.values()].filter((id) => !heard.has(id));
        };
        await eventually(async () => {
            reviews = await shop.rows("SELECT payment_id AS id, detail FROM events WHERE kind = 'review'");
            return unheard().length === 0;
        }, LAST_NOTICE_MS, 1000).catch(() => {});
        for (const id of unheard()) wrong.push(`${id}: a notice lied, and nobody is to review it`);
        for (const { id, detail } of reviews)
            if (!lied.has(id) && !seen.unsure.has(id))
                wrong.push(`${id} is to be reviewed, and nobody lied: ${detail}`);
        const unmatched = await shop.value("SELECT COUNT(*) FROM inbox WHERE state = 'unmatched'");
        if (unmatched > 0) wrong.push(`${unmatched} notices found no payment`);
    }

    // Who pays in time gets what was held for him, unless its owner took it away, or he himself put
    // it into another cart.
    async function judgeHolds() {
        const carts = await shop.rows('SELECT payment_id AS id, asset_id AS asset FROM payment_items');
        const wishes = groupBy(carts, (line) => line.asset);
        const assets = groupBy(carts, (line) => line.id);
        const again = (id) => assets.get(id).some(({ asset }) => wishes.get(asset).some((other) =>
            other.id > id && rows.get(other.id).user === rows.get(id).user));
        const undelivered = await shop.rows(
            `SELECT payment_id AS id FROM outbox o WHERE topic = 'payment.undeliverable'
                AND NOT EXISTS (SELECT 1 FROM events e
                    WHERE e.payment_id = o.payment_id AND e.kind IN ('expired', 'released', 'failed'))`);
        for (const { id } of undelivered)
            if (!seen.withdrawn.has(id) && !again(id))
                lost.push(`${id}: paid in time, and its items went to somebody else`);
    }

    judgeCharges();
    await judgeHolds();
    await judgeKeys();
    await judgeRefunds();
    await judgeAnswers();
    await judgeReviews();
    for (const id of open) wrong.push(`${id} never came to its end: ${rows.get(id)?.status}`);
    await assertBooks(shop).catch((error) => wrong.push(`books: ${error.message}`));
    return {
        lost, doubled, wrong,
        stuck: open.length,
        charges: charged.length,
        answers: seen.keys.size + seen.plain.length + seen.refunds.size,
        unknownMs: await shop.value(LONGEST_UNKNOWN),
        statuses: await shop.rows('SELECT status, COUNT(*) AS number FROM payments GROUP BY status ORDER BY number DESC'),
    };
}
