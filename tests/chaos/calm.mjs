// After the storm: nobody kills any more, the provider behaves, and time is hurried until every
// payment has come to its end.
import { hurry } from '../e2e/lib/chaos.mjs';
import { eventually, sleep } from '../e2e/lib/client.mjs';
import { makeDice } from './dice.mjs';
import { isPaid } from './load.mjs';

const ROUNDS = 8;

const isRefunded = (status) => ['refunded', 'partially_refunded'].includes(status);
const statusesOf = async (shop) =>
    new Map((await shop.rows('SELECT payment_id AS id, status FROM payments')).map(({ id, status }) => [id, status]));

// Our reference at the provider → the payment.
export async function ownersOf(shop) {
    const attempts = await shop.rows('SELECT DISTINCT reference, payment_id AS id FROM attempts');
    return new Map(attempts.map(({ reference, id }) => [reference, id]));
}

// Everything runs again, and every armed fault that met nobody is taken back from the count.
async function everythingUp(shop, seen) {
    for (const part of ['mariadb', 'jobs', 'guichet']) await shop.ready(part);
    const { armed, totals } = await shop.sandbox.journal({ order_id: 'none' });
    for (const { fault, left, order_id } of armed) {
        if (seen.faults[fault] !== undefined) seen.faults[fault] -= left;
        seen.lies.delete(order_id); // it was never told
    }
    seen.notices = totals.webhooks;
    await shop.sandbox.reset();
}

// The provider ends its reviews, and repeats the notices that it owes: nobody else tells of a refund.
async function providerEnds(shop, seed) {
    const sessions = await shop.sandbox.sessions();
    for (const { order_id, status } of sessions) {
        if (status !== 'pending_review') continue;
        const action = makeDice(seed, 'review', order_id).chance(50) ? 'approve' : 'decline';
        await shop.sandbox.act(action, { order_id }).catch(() => {}); // its payer was faster
    }
    const [statuses, owners] = [await statusesOf(shop), await ownersOf(shop)];
    for (const { order_id, status } of sessions)
        if (status === 'refunded' && !isRefunded(statuses.get(owners.get(order_id))))
            await shop.sandbox.webhook({ order_id, type: 'refunded' });
}

// The jobs have looked at everything that was due.
const checksDone = (shop) =>
    eventually(
        async () => (await shop.value('SELECT COUNT(*) FROM payment_checks WHERE due_at <= UTC_TIMESTAMP(3)')) === 0,
        600_000, 250,
    );

// Everything that is open is over by now.
const expireAll = (shop) =>
    shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 1 DAY, expires_at = UTC_TIMESTAMP(3) - INTERVAL 1 SECOND
            WHERE status IN ('pending', 'processing') AND expires_at > UTC_TIMESTAMP(3)`,
    );

// What is not at its end: open payments, and charges that have not arrived.
async function findOpen(shop) {
    const statuses = await statusesOf(shop);
    const open = [...statuses].filter(([, status]) => ['pending', 'processing'].includes(status)).map(([id]) => id);
    const owners = await ownersOf(shop);
    const charged = (await shop.sandbox.sessions()).filter(({ charges }) => charges > 0);
    const owed = charged.map(({ order_id }) => owners.get(order_id) ?? order_id).filter((id) => !isPaid(statuses.get(id)));
    return [...new Set([...open, ...owed])];
}

// Returns {ms, rounds, open}: how long it took, and the payments that never ended.
export async function calmDown(shop, seed, seen, say) {
    const started = Date.now();
    await everythingUp(shop, seen);
    await providerEnds(shop, seed);
    await sleep(1000); // the first attempts of notices that were under way
    let open = [];
    for (let round = 1; round <= ROUNDS; round++) {
        if (round > 1) await expireAll(shop); // once: what is unknown has been asked about before
        await hurry(shop, { ended: true });
        await checksDone(shop);
        open = await eventually(async () => {
            const left = await findOpen(shop);
            return left.length === 0 && [left];
        }, 1500, 300).then(([none]) => none, () => findOpen(shop));
        say(`calm, round ${round}: ${open.length} payments are not at their end`);
        if (open.length === 0 && round > 1) return { ms: Date.now() - started, rounds: round, open };
    }
    return { ms: Date.now() - started, rounds: ROUNDS, open };
}
