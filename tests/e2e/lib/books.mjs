// The question that every test of chaos ends with: do the provider's journal, our payments, the
// ledger, the items and what people were told all tell the same story?
import assert from 'node:assert/strict';
import { originOf } from './market.mjs';

const OPENING = { '76561198000000001': 5000 }; // the demo's data: alice starts with 50.00 USD

// `own`: paid from the payer's balance, so that no provider was ever to be called. `undelivered`: it
// was paid, but its money went to the payer's balance.
const PAYMENTS = `SELECT p.payment_id AS id, CAST(user_id AS CHAR) AS user, type, amount, status,
        NOT EXISTS (SELECT 1 FROM attempts a WHERE a.payment_id = p.payment_id) AS own,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'credit') AS credits,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'refund') AS refunds,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'surplus') AS surplus,
        (SELECT COUNT(*) FROM ledger_postings WHERE document_id = p.payment_id AND effect = 'surplus_refund') AS surplus_returned,
        (SELECT CAST(COALESCE(SUM(r.amount), 0) AS SIGNED) FROM refunds r WHERE r.payment_id = p.payment_id) AS returned,
        (SELECT COUNT(*) FROM outbox o WHERE o.payment_id = p.payment_id AND topic = 'payment.completed') AS told,
        (SELECT COUNT(*) FROM outbox o WHERE o.payment_id = p.payment_id AND topic = 'payment.undeliverable') AS undelivered,
        (SELECT COUNT(*) FROM notifications n WHERE n.payment_id = p.payment_id AND n.user_id = p.user_id) AS alerts,
        (SELECT COUNT(*) FROM outbox o JOIN deliveries d USING (outbox_id)
            WHERE o.payment_id = p.payment_id AND receiver = 'mail') AS mails,
        (SELECT COUNT(*) FROM outbox o JOIN deliveries d USING (outbox_id) WHERE o.payment_id = p.payment_id
            AND topic = 'payment.completed' AND receiver = 'receiver_1') AS receivers,
        (SELECT MAX(event_id) FROM events e WHERE e.payment_id = p.payment_id AND kind = 'completed') AS moment
    FROM payments p`;

async function readPayments(shop) {
    const payments = await shop.rows(PAYMENTS);
    const byId = new Map(payments.map((payment) => [payment.id, { ...payment, charges: 0, cart: [] }]));
    const lines = await shop.rows(
        `SELECT payment_id, asset_id AS asset, CAST(seller_id AS CHAR) AS seller, price, fee
            FROM payment_items ORDER BY asset_id`,
    );
    for (const { payment_id: id, ...line } of lines) byId.get(id).cart.push(line);
    return byId;
}

// Every charge of the provider is one payment, made with one of its attempts.
async function countCharges(shop, sessions, payments) {
    const attempts = await shop.rows('SELECT DISTINCT reference, payment_id AS id FROM attempts');
    const owners = new Map(attempts.map(({ reference, id }) => [reference, id]));
    assert.equal(new Set(sessions.map((s) => s.order_id)).size, sessions.length, 'one session per order');
    for (const session of sessions) {
        const payment = payments.get(owners.get(session.order_id));
        assert(payment, `session ${session.session_id} belongs to a payment of ours`);
        assert.equal(payment.amount, session.amount, `${payment.id}: amount`);
        assert(session.charges <= 1, `${session.order_id} was charged ${session.charges} times`);
        payment.charges += session.charges;
    }
}

// Every charge is one effect, every effect is told once.
function assertOnce(payment) {
    const { status, own, cart, type, amount, charges, credits, undelivered, refunds, returned } = payment;
    const found = JSON.stringify(payment);
    const paid = ['completed', 'partially_refunded', 'refunded'].includes(status);
    const credited = ['completed', 'partially_refunded'].includes(status) || refunds > 0;
    assert.equal(credits, credited ? 1 : 0, found);
    assert.equal(status === 'refunded', returned === amount, found);
    assert.equal(status === 'partially_refunded', returned > 0 && returned < amount, found);
    if (own) assert(paid && type === 'items' && charges === 0, found);
    else assert(charges > 0 ? paid && charges === 1 + payment.surplus : credits === 0, found);
    for (const count of ['told', 'alerts', 'mails', 'receivers']) assert.equal(payment[count], credits, `${count}: ${found}`);
    assert(undelivered <= (type === 'items' && !own ? credits : 0), found);
    assert.equal(cart.length > 0, type === 'items', found);
    if (cart.length > 0) assert.equal(cart.reduce((sum, line) => sum + line.price, 0), amount, found);
}

// Who has what, from the carts alone: the house's income as 'house'.
function expectBalances(payments) {
    const owed = { house: 0, ...OPENING };
    const add = (who, amount) => (owed[who] = (owed[who] ?? 0) + amount);
    for (const payment of payments) {
        const { user, amount, own, credits, returned, undelivered, cart, surplus, surplus_returned: back } = payment;
        add(user, amount * (surplus - back));
        if (credits === 0) continue;
        if (own) add(user, -amount);
        add(user, own ? returned : -returned);
        if (own) add('house', -returned);
        if (cart.length === 0 || undelivered) add(user, amount);
        else for (const { seller, price, fee } of cart) {
            add(seller, price - fee);
            add('house', fee);
        }
    }
    return owed;
}

async function assertBalances(shop, payments) {
    const verified = shop.ctl('ledger', 'verify');
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
    const opened = Object.values(OPENING).reduce((sum, amount) => sum + amount, 0);
    const owed = expectBalances(payments);
    const rows = await shop.rows(
        `SELECT IF(kind = 'equity', 'house', owner) AS owner, CAST(SUM(amount) AS SIGNED) AS amount FROM ledger_entries
            JOIN ledger_accounts USING (account_id) WHERE kind IN ('user', 'equity') GROUP BY 1`,
    );
    const found = Object.fromEntries(rows.map(({ owner, amount }) => [owner, amount]));
    found.house = (found.house ?? 0) + opened;
    const told = (balances) => Object.entries(balances).filter(([, amount]) => amount !== 0).sort();
    assert.deepEqual(told(found), told(owed), 'the ledger as the carts would have it');
    const overdrawn = await shop.rows(
        `SELECT document_id, balance_after FROM ledger_entries JOIN ledger_postings USING (posting_id)
            WHERE effect = 'credit' AND amount < 0 AND balance_after < 0`,
    );
    assert.deepEqual(overdrawn, [], 'purchases that nobody could afford');
    for (const user of Object.values(shop.users))
        assert.equal(await shop.client.balance(user), owed[user.id] ?? 0, `balance of ${user.id}`);
}

// The sales of an item are a chain from its first owner to the one it has; nothing that is over
// holds any.
async function assertItems(shop, payments) {
    const owners = new Map();
    const sales = payments.filter((payment) => payment.credits === 1 && !payment.undelivered);
    for (const { id, user, cart } of sales.sort((a, b) => a.moment - b.moment))
        for (const { asset, seller } of cart) {
            assert.equal(seller, owners.get(asset) ?? originOf(shop, asset), `${id}: seller of ${asset}`);
            assert.notEqual(seller, user, `${id}: nobody buys from himself`);
            owners.set(asset, user);
        }
    const items = await shop.rows(
        'SELECT asset_id AS asset, CAST(owner_id AS CHAR) AS owner, state, held_by AS holder FROM items',
    );
    const open = new Map(payments.filter((p) => ['pending', 'processing'].includes(p.status)).map((p) => [p.id, p]));
    for (const { asset, owner, state, holder } of items) {
        assert.equal(owner, owners.get(asset) ?? originOf(shop, asset), `owner of ${asset}`);
        if (holder === null) continue;
        const held = open.get(holder)?.cart.some((line) => line.asset === asset);
        assert(held && state > 0, `${asset} in state ${state} is held by ${holder}`);
    }
}

// Every charge of the provider is one payment, every completed payment one credit or one hand-over,
// each told once; every item has the owner whom the carts give it; the ledger sums to zero, equals
// the balances and the carts. Call it when all that was paid has arrived.
export async function assertBooks(shop) {
    const sessions = await shop.sandbox.sessions();
    const byId = await readPayments(shop);
    const payments = [...byId.values()];
    await countCharges(shop, sessions, byId);
    payments.forEach(assertOnce);
    await assertBalances(shop, payments);
    await assertItems(shop, payments);
}
