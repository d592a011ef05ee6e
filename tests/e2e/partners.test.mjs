// The short form of a bad day with all three providers: deposits, carts, direct cards and the house
// brand, refunds, disputes and chargebacks at once, while calls and notices go wrong and handlers and
// jobs are killed. In the end each provider's own books are held against ours, to the cent. MS=60000 and
// SEED=n make it longer, and another one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeDice } from '../chaos/dice.mjs';
import { hurry } from './lib/chaos.mjs';
import { eventually, sleep } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { DECLINED, FRICTIONLESS, makeMangopay } from './lib/mangopay.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO } from './lib/mangoshop.mjs';
import { addBuyers, addItems } from './lib/market.mjs';

const SEED = Number(process.env.SEED ?? 4);
const [MS, CLIENTS] = [Number(process.env.MS ?? 6000), 12];
const TOS = { tos_timestamp: 1706745600 };
const shop = await startInstance({ name: 'partners', processes: 3, set: {
    'mangopay.enabled': 'on', 'nonstopay.enabled': 'on', 'jobs.silence': 600, 'jobs.idle_wait': 50, 'provider.timeout': 2000 } });
const { client, sandbox } = shop;
const { bob, olivia } = shop.users;
const mangopay = makeMangopay(shop);

const CALLS = [
    null, null, ['slow', { ms: 600, call: 'create' }], ['timeout_after_success', { ms: 3000 }], ['connection_reset', { call: 'create' }],
    ['connection_reset_after_success'], ['error_5xx', { call: 'create' }], ['garbage', { call: 'create' }], ['refused'],
    ['webhook_before_answer'], ['readback_404'], ['readback_pending'], ['rate_limited', { call: 'create', retry_after: 1 }],
];
const REFUNDS = [null, ['connection_reset_after_success'], ['timeout_after_success', { ms: 3000 }], ['garbage', { call: 'create' }]];
// A notice that is dropped is one of a success: of a chargeback nobody else would tell.
const NOTICES = [
    null, ['webhook_dropped'], ['webhook_duplicate', { copies: 4 }], ['webhook_reordered', { ms: 800 }], ['webhook_late', { ms: 700 }],
];
const quiet = (promise) => promise.catch(() => null); // the provider may refuse, the handler may be dead
const arm = (fault, provider, args) => fault && quiet(sandbox.fault(fault[0], { provider, ...fault[1], ...args }));
const sessionsOf = async (id) => ((await quiet(sandbox.sessions())) ?? []).filter((s) => s.order_id.startsWith(id));

// What a client asks for, and whom the provider's fault hits.
function wish(dice, user, { assets, card }) {
    const provider = dice.pick(['payviox', 'nonstopay', 'mangopay', 'mannco', 'card']);
    const amount = dice.between(10, 50) * 100;
    const house = { amount, currency: 'USD' };
    const direct = { amount, currency: 'EUR', method: 'card_direct', card_id: card, browser_info: BROWSER_INFO,
        billing: ADDRESS, shipping: ADDRESS };
    const items = [...new Set([dice.pick(assets), dice.pick(assets)])];
    const deposit = { token: user.jwt, body: { type: 'balance', value: amount, ...TOS } };
    const cart = dice.chance(50);
    const ways = {
        mannco: (key) => client.paiement(user, house, { provider, key }),
        card: (key) => client.paiement(user, direct, { provider: 'mangopay', key }),
        items: (key) => client.buy(user, items, TOS, { provider, key }),
        deposit: (key) => client.request('POST', `/payment/${provider}`, { ...deposit, key }),
    };
    return {
        ask: ways[provider] ?? (cart ? ways.items : ways.deposit),
        hit: { mannco: 'payviox', card: 'mangopay' }[provider] ?? provider,
    };
}

async function create(dice, user, key, market, kept) {
    const { ask, hit } = wish(dice, user, market);
    await arm(dice.pick(CALLS), hit);
    for (let tries = dice.between(1, 3); tries > 0; tries--) {
        const answer = await quiet(ask(key));
        if (answer?.status === 200) {
            kept.push({ ask: () => ask(key), text: answer.text });
            return answer.headers.location?.match(/PAY_\w+/)[0];
        }
        if (answer && ![409, 502, 503, 504].includes(answer.status)) return undefined;
        await sleep(dice.between(0, 300));
    }
    return undefined;
}

async function refund(dice, id, provider) {
    if (provider === 'mangopay') await arm(dice.pick(REFUNDS), provider);
    const ask = (amount) => quiet(client.request('POST', `/payments/${id}/refunds`, { body: { amount }, token: olivia.jwt }));
    await Promise.all([300, 400].map(ask));
}

async function contest(dice, { provider, session_id }) {
    if (provider === 'payviox') return quiet(sandbox.act('refund', { provider, session_id }));
    await quiet(sandbox.act('chargeback', { provider, session_id }));
    if (provider === 'nonstopay' || dice.chance(30)) return null;
    return quiet(mangopay.act('dispute', { session_id, result: dice.pick(['WON', 'LOST']) }));
}

// The payer, who may have paid already with his card, and what comes after him.
async function play(dice, user, id) {
    for (const session of await sessionsOf(id)) {
        const { provider, session_id, order_id, status } = session;
        if (!['new', 'succeeded'].includes(status) || dice.chance(10)) continue;
        if (status === 'new') {
            await arm(dice.pick(NOTICES), provider, { order_id });
            await quiet(sandbox.act('pay', { provider, session_id, card: dice.chance(90) ? FRICTIONLESS : DECLINED }));
        }
        const known = await quiet(client.paymentIs(user, id, 'completed', 1500));
        if (known !== null && dice.chance(70)) await refund(dice, id, provider);
        const { armed } = (await quiet(sandbox.journal({ order_id }))) ?? { armed: [{ order_id }] };
        if (dice.chance(40) && !armed.some((fault) => fault.order_id === order_id)) await contest(dice, session);
    }
}

async function load(market, kept) {
    const end = Date.now() + MS;
    const kills = { guichet: 0, jobs: 0 };
    // And on a slow machine until there is enough to be compared.
    const goesOn = () => Date.now() < end
        || ((kept.length < 15 || kills.guichet < 3) && Date.now() < end + 60_000);
    const killer = async (part, every) => {
        for (const dice = makeDice(SEED, part); goesOn(); ) {
            await sleep(every * dice.between(50, 150) / 100);
            const pids = shop.pids(part);
            if (pids.length === 0) continue;
            process.kill(dice.pick(pids), 'SIGKILL');
            kills[part]++;
        }
    };
    const one = async (number) => {
        for (let i = 0; goesOn(); i++) {
            const dice = makeDice(SEED, 'client', number, i);
            const user = dice.pick(market.buyers);
            const id = await create(dice, user, `partners-${number}-${i}`, market, kept);
            if (id !== undefined && dice.chance(90)) await play(dice, user, id);
        }
    };
    await Promise.all([...Array.from({ length: CLIENTS }, (_, i) => one(i)), killer('guichet', 1000), killer('jobs', 2500)]);
    return kills;
}

// What a handler died of in its hands is sent again half a minute later: now. Of Mangopay's, jobs that
// start read the list.
async function tellAgain() {
    const TYPES = { payviox: { refunded: 'refunded' }, nonstopay: { charged_back: 'invoice:chargeback' } };
    for (const { provider, session_id, status } of await sandbox.sessions()) {
        const type = TYPES[provider]?.[status];
        if (type) assert.deepEqual(await sandbox.webhook({ provider, session_id, type }), [200]);
    }
    await shop.restartPart('jobs');
}

// Everything that is open is over, and the jobs have nothing left to ask, to retry or to give back.
async function calm() {
    await sandbox.reset();
    for (const part of ['guichet', 'jobs']) await shop.ready(part);
    await tellAgain();
    await shop.rows(`UPDATE payments SET created_at = created_at - INTERVAL 1 DAY, expires_at = UTC_TIMESTAMP(3)
        WHERE status IN ('pending', 'processing')`);
    await eventually(async () => {
        await hurry(shop, { ended: true });
        await shop.rows('UPDATE refund_orders SET due_at = UTC_TIMESTAMP(3) WHERE due_at IS NOT NULL');
        return (await shop.value(`SELECT (SELECT COUNT(*) FROM payment_checks) + (SELECT COUNT(*) FROM inbox
            WHERE due_at IS NOT NULL) + (SELECT COUNT(*) FROM refund_orders WHERE state = 'pending')`)) === 0;
    }, 120_000, 1000);
}

// What the provider has of a session's payer in the end: paid, less what was given or taken back.
async function netOf({ provider, session_id, amount, charges, status }) {
    if (charges === 0) return 0;
    if (provider !== 'mangopay') return ['refunded', 'charged_back'].includes(status) ? 0 : amount;
    const [refunds, disputes] = await Promise.all(['refunds', 'disputes'].map((what) => mangopay.get(`/payins/${session_id}/${what}`)));
    const given = refunds.filter(({ Status }) => Status === 'SUCCEEDED').map(({ CreditedFunds }) => CreditedFunds.Amount);
    const taken = disputes.filter((d) => d.Status !== 'CLOSED' || d.ResultCode === 'LOST').map(({ DisputedFunds }) => DisputedFunds.Amount);
    return [...given, ...taken].reduce((left, part) => left - part, amount);
}

// The same as our books have it. What we gave back by hand, the provider knows nothing of.
const BOOKED = `SELECT p.payment_id AS id, p.status, p.dispute,
        (SELECT COUNT(*) FROM ledger_postings l WHERE document_id = p.payment_id AND effect IN ('credit', 'surplus')) AS credits,
        (SELECT CAST(COALESCE(-SUM(e.amount), 0) AS SIGNED) FROM ledger_postings l JOIN ledger_entries e USING (posting_id)
            JOIN ledger_accounts USING (account_id) WHERE document_id = p.payment_id
            AND kind IN ('provider', 'provider_fees', 'disputes')) AS net,
        (SELECT CAST(COALESCE(SUM(amount), 0) AS SIGNED) FROM refunds r WHERE r.payment_id = p.payment_id
            AND via = 'manual' AND reference IS NULL) AS by_hand,
        (SELECT COUNT(*) FROM reviews r WHERE r.payment_id = p.payment_id AND kind <> 'surplus') AS reviews
    FROM payments p WHERE EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = p.payment_id)`;

async function compare() {
    const [rows, sessions] = [await shop.rows(BOOKED), await sandbox.sessions()];
    const known = new Set(rows.map(({ id }) => id));
    let moved = 0;
    for (const { order_id } of sessions) assert(known.has(order_id.slice(0, 30)), `${order_id} is of no payment`);
    for (const row of rows) {
        const own = sessions.filter(({ order_id }) => order_id.startsWith(row.id));
        const told = JSON.stringify([row, own]);
        const charges = own.reduce((sum, session) => sum + session.charges, 0);
        let net = 0;
        for (const session of own) net += await netOf(session);
        assert(!['pending', 'processing'].includes(row.status), told);
        moved += charges;
        if (row.reviews > 0) continue; // a person compares
        assert.equal(row.net + row.by_hand, net, told);
        if (row.status !== 'refunded' || row.credits > 0) assert.equal(row.credits, charges, told);
    }
    const [counts] = await shop.rows(`SELECT (SELECT COUNT(*) FROM refunds WHERE via = 'provider') AS refunds,
        (SELECT COUNT(*) FROM disputes) AS disputes`);
    return { charges: moved, ...counts };
}

test('F01, F03, F10, F11, F20, F40: three providers on a bad day: their books and ours agree to the cent', async (t) => {
    // hooks at once; a call takes two seconds at the most, and the machine may be slow
    await eventually(() => shop.ctl('provider', 'check', 'mangopay').status === 0, 60_000);
    const market = { buyers: await addBuyers(shop, 5), card: await mangopay.card(AUTHOR),
        assets: await addItems(shop, bob, Array.from({ length: 100 }, (_, i) => 1000 + i)) };
    const kept = [];
    const kills = await load(market, kept);
    await calm();
    const moved = await compare();
    for (const { ask, text } of kept) assert.equal((await ask()).text, text);
    t.diagnostic(`seed ${SEED}: ${kept.length} acknowledged, ${JSON.stringify({ ...moved, kills })}`);
    assert(kept.length >= 10 && moved.charges >= 10 && moved.refunds >= 1 && moved.disputes >= 1 && kills.guichet >= 3);
});
