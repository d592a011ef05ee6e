// Mangopay misbehaves: every fault that /control has for it, every error that it documents, used-up rates,
// refused tokens and burnt keys. Whatever it is: the payer gets an honest answer, unknown is called unknown
// and settled by the jobs, and nothing is credited or given back twice.
import assert from 'node:assert/strict';
import test, { after, afterEach, before, describe } from 'node:test';
import { answersOf, hurryUntil, letRest, statusOf } from './lib/chaos.mjs';
import { eventually } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { startInstance } from './lib/instance.mjs';
import { FRICTIONLESS, makeMangopay } from './lib/mangopay.mjs';
import { makeMangopayProxy, registerHooks } from './lib/mangoproxy.mjs';
import { ADDRESS, AUTHOR, BROWSER_INFO, makeShop } from './lib/mangoshop.mjs';
import { letExpire } from './lib/market.mjs';

const VALUE = 1300;
const proxy = await makeMangopayProxy();
after(() => proxy.end());
const shop = await startInstance({ name: 'mangofaults', processes: 1, set: { 'mangopay.enabled': 'on', 'jobs.silence': 600,
    'mangopay.api_url': proxy.url, 'provider.timeout': 3000, 'jobs.idle_wait': 50 } });
proxy.attach(shop);
await registerHooks(shop);
const { client, sandbox } = shop;
const { alice, olivia } = shop.users;
const mangopay = makeMangopay(shop);
const { deposit, paiement, referenceOf, credits, reviews } = makeShop(shop, mangopay);

const tosOf = { tos_timestamp: 1706745600 }; // repeats must have the same bytes
let keys = 0;
const newKey = () => `mangofault-${++keys}`;
const create = (key = newKey()) => deposit(VALUE, tosOf, { key });
const direct = async (key = newKey()) => paiement(VALUE, { method: 'card_direct', card_id: card, secure_mode: 'DEFAULT',
    browser_info: BROWSER_INFO, billing: ADDRESS }, { key });
const card = await mangopay.card(AUTHOR);
const tagOf = ({ id }) => `${id} demo`;
const journal = async (made) => sandbox.journal({ order_id: tagOf(made) });
const is = (made, status) => client.paymentIs(alice, made.id, status);
const pay = async (made) => {
    const { sessions: [{ session_id }] } = await journal(made);
    return mangopay.act('pay', { session_id, card: FRICTIONLESS });
};
// The jobs do not ask about it by themselves: a slow machine may come to their ten seconds.
const unasked = async (made) => {
    await letRest(shop, made.id);
    return made;
};
// The breaker is closed again, for all processes: a refused token opens it.
async function closeBreaker() {
    await shop.rows('UPDATE provider_health SET opened_at = NULL, open_until = NULL, probe_id = NULL,'
        + " probe_until = NULL WHERE provider = 'mangopay'");
    await eventually(async () => accepted(await client.request('GET', '/providers')).providers
        .find(({ name }) => name === 'mangopay').status === 'up');
}

// Retry-After counts down from the provider's own word, and a machine may take its time.
function assertWait({ headers }, wait) {
    const told = Number(headers['retry-after']);
    assert.ok(told <= wait + 1 && told >= wait - 4, `${told} s, of ${wait}`);
}

// What a test leaves open is not asked about during the next one, whose answers are planned.
afterEach(async () => {
    for (const table of ['payment_checks', 'inbox', 'refund_orders'])
        await eventually(() => shop.rows(`UPDATE ${table} SET due_at = due_at + INTERVAL 1 DAY WHERE due_at IS NOT NULL`));
    const { armed } = await sandbox.journal({ order_id: 'nothing' });
    const left = [...armed.map(({ fault }) => fault), ...proxy.forget()];
    await sandbox.reset();
    assert.deepEqual(left, [], 'what was armed has happened');
});

const PAGE = { status: 200, outcome: 'pending', payment: 'pending' };
const UNKNOWN = { status: 504, message: 'Payment outcome unknown', outcome: 'unknown', payment: 'pending' };
const ERROR = { status: 502, message: 'Failed to process payment', outcome: 'unknown', payment: 'pending' };
const UNAVAILABLE = { status: 503, message: 'Provider unavailable', outcome: 'not_sent', payment: 'failed' };
const DECLINED = { status: 402, message: 'Payment declined', outcome: 'declined', payment: 'failed' };

// payins: how many there are at Mangopay; creates: how often it was asked for one.
const CREATES = [
    { fault: 'slow', args: { ms: 400 }, ...PAGE, payins: 1, creates: 1 },
    { fault: 'timeout_after_success', args: { ms: 5500 }, ...PAGE, payins: 1, creates: 1 },
    { fault: 'connection_reset_after_success', ...PAGE, payins: 1, creates: 1 },
    { fault: 'garbage', ...PAGE, payins: 1, creates: 1 },
    { fault: 'connection_reset', ...UNKNOWN, payins: 0, creates: 1, why: /the connection broke/ },
    { fault: 'error_5xx', args: { status: 503 }, ...ERROR, payins: 0, creates: 1, why: /^Mangopay answered 503 and nothing we/ },
    { fault: 'rate_limited', args: { retry_after: 7 }, ...UNAVAILABLE, payins: 0, creates: 1, retry: 7,
        why: /takes no more calls/ },
    { fault: 'unauthorized', ...PAGE, payins: 1, creates: 2 },
    { fault: 'unauthorized', args: { count: 2 }, ...UNAVAILABLE, payins: 0, creates: 2, why: /takes none of its tokens/,
        trips: true },
    { fault: 'refused', ...DECLINED, status: ERROR.status, message: ERROR.message, payins: 1, creates: 1,
        why: /^Mangopay says 001999: / },
    { fault: 'error_code', args: { code: 101199 }, ...DECLINED, payins: 1, creates: 1, why: /^Mangopay says 101199: / },
];

describe('F34, F40: what becomes of a create that meets', () => {
    for (const c of CREATES)
        test(`${c.fault} ${JSON.stringify(c.args ?? {})}`, async () => {
            const key = newKey();
            await mangopay.fault(c.fault, { call: 'create', ...c.args });
            const made = await create(key);
            if (c.trips) await closeBreaker();
            assert.match(made.id, /^PAY_/, made.text);
            if (c.status === 200) assert.match(accepted(made).url, /\/mangopay\/pay\//);
            else refused(made, c.status, c.message);
            if (c.retry) assertWait(made, c.retry);

            const [answer, ...more] = await answersOf(shop, made.id);
            assert.deepEqual([more.length, answer.outcome, await statusOf(shop, made.id)], [0, c.outcome, c.payment]);
            if (c.why) assert.match(answer.reason, c.why);
            const { sessions, calls } = await journal(made);
            const asked = calls.filter(({ method }) => method === 'POST');
            assert.deepEqual([sessions.length, asked.length], [c.payins, c.creates]);
            assert.equal(new Set(asked.map((call) => call.idempotency_key)).size, 1);

            const again = await create(key);
            if (c.outcome === 'not_sent') assert.notEqual(again.id, made.id); // nothing was kept: it starts anew
            else if (c.status === 504) refused(again, 409, 'A request with this Idempotency-Key is still running');
            else assert.equal(again.text, made.text);
            assert.equal((await journal(made)).calls.filter(({ method }) => method === 'POST').length, c.creates);

            if (c.status === 200) {
                await pay(made);
                await is(made, 'completed');
            }
            assert.equal(await credits(made.id), c.status === 200 ? 1 : 0);
        });

    test('webhook_before_answer: completed before its payer has an address, and once', async () => {
        await mangopay.fault('webhook_before_answer');
        const made = await create();
        await is(made, 'completed');
        assert.equal(await credits(made.id), 1);
        // the notice named nothing of ours, but what was read did: it is found with the payment
        const notices = await eventually(async () => { // whatever completed it: the notice is read after its answer
            const rows = await shop.rows('SELECT state, body FROM inbox WHERE reference = ?', [made.id]);
            return rows.length > 0 && rows.every(({ state }) => state !== 'unmatched') && rows;
        });
        assert.deepEqual(notices.map(({ state, body }) => [state, /=PAYIN_NORMAL_SUCCEEDED&/.test(body)]), [['done', true]]);
    });
});

describe('F40: unknown is settled by the jobs', () => {
    // Neither the answer nor what is kept under the key is heard: nobody knows whether there is a pay-in.
    async function lost(fault, make) {
        await mangopay.fault(fault, { call: 'create' });
        proxy.plan({ method: 'GET', path: /\/responses\//, status: 500 });
        const key = newKey();
        const made = await make(key);
        assert.ok([502, 504].includes(made.status), made.text);
        assert.equal(await statusOf(shop, made.id), 'pending');
        assert.equal((await answersOf(shop, made.id))[0].outcome, 'unknown');
        return { ...made, key };
    }

    for (const fault of ['connection_reset_after_success', 'garbage'])
        test(`${fault} of a page: its address is found, and it is paid once`, async () => {
            const made = await lost(fault, create);
            const url = await hurryUntil(shop, async () => (await client.payment(alice, made.id)).url, { ended: true, id: made.id });
            assert.match(url, /\/mangopay\/pay\//);
            await mangopay.form(url, mangopay.cardForm());
            await is(made, 'completed');
            assert.deepEqual([await credits(made.id), (await journal(made)).sessions.length], [1, 1]);
        });

    test('of a card that was charged: it is completed, once, although nobody was told', async () => {
        await mangopay.fault('webhook_dropped');
        const made = await lost('connection_reset_after_success', direct);
        await hurryUntil(shop, async () => await statusOf(shop, made.id) === 'completed', { ended: true, id: made.id });
        assert.deepEqual([await credits(made.id), (await journal(made)).sessions.map(({ charges }) => charges)], [1, [1]]);
    });

    test('of a card that was refused: it has failed', async () => {
        await mangopay.fault('error_code', { code: 101105 });
        await mangopay.fault('webhook_dropped');
        const made = await lost('connection_reset_after_success', direct);
        await hurryUntil(shop, async () => await statusOf(shop, made.id) === 'failed', { ended: true, id: made.id });
        assert.equal(await credits(made.id), 0);
    });

    test('of what never was made: nothing is ever credited, and it ends with its time', async () => {
        const made = await lost('connection_reset', direct);
        await letExpire(shop, made.id);
        await hurryUntil(shop, async () => ['expired', 'failed'].includes(await statusOf(shop, made.id)),
            { ended: true, id: made.id });
        assert.deepEqual([await credits(made.id), (await journal(made)).sessions.length], [0, 0]);
    });
});

describe('F43: a key that is burnt', () => {
    const CREATE = /\/payins\/card\/direct/, KEPT = /\/responses\//;

    test('409: what was made first is read under the key', async () => {
        const mark = proxy.calls.length;
        proxy.plan({ path: CREATE });
        const made = await direct();
        assert.equal(accepted(made).status, 'completed', made.text);
        const [first, second] = proxy.since(mark, 'POST', CREATE).concat(proxy.since(mark, 'GET', KEPT));
        assert.equal(first.status, 409);
        assert.ok(second.path.endsWith(`/responses/${first.headers['idempotency-key']}`));
        assert.deepEqual([await credits(made.id), (await journal(made)).sessions.length], [1, 1]);
    });

    test('409 of a call that was refused: the refusal is the answer', async () => {
        proxy.plan({ path: CREATE });
        const made = await paiement(VALUE, { method: 'card_direct', card_id: 'card_m_unknown', browser_info: BROWSER_INFO });
        refused(made, 400, 'Invalid request parameters');
        assert.equal(await statusOf(shop, made.id), 'failed');
    });

    test('409 of a call that was declined: a decline', async () => {
        await mangopay.fault('error_code', { code: 101105 });
        proxy.plan({ path: CREATE });
        refused(await direct(), 402, 'Payment declined: the card cannot be used');
    });

    test('409, and nothing is kept under the key: unknown', async () => {
        proxy.plan({ path: CREATE, status: 409, body: { Type: 'idempotent_creation_conflict', errors: null } });
        const made = await direct();
        assert.ok([502, 504].includes(made.status), made.text);
        assert.equal((await answersOf(shop, made.id))[0].outcome, 'unknown');
        assert.equal(await statusOf(shop, made.id), 'pending');
    });
});

// --- errors as documented ---

const message = 'One or several required parameters are missing or incorrect. An incorrect resource ID also raises this kind of error.';
const error = (Type, errors = null) => ({ Message: message, Type, Id: '5a2eb43f-5a5f-4a4b-9d3c-1e5d9f2b7a10#1740581497',
    Date: 1740581497.0, errors });
const field = (name) => error('param_error', { [name]: `The ${name} field is required.` });
const SECRET = 'CANARY_OF_MANGOPAY';
const REFUSALS = [
    [400, field('Billing.Address.City'), 400, 'Invalid billing'],
    [400, field('Shipping'), 400, 'Invalid shipping'],
    [400, field('BrowserInfo.Language'), 400, 'Invalid browser_info'],
    [400, field('IpAddress'), 400, 'Invalid customer'],
    [400, field('DebitedFunds.Amount'), 400, 'Invalid amount'],
    [400, field('CardId'), 400, 'Invalid request parameters'],
    [400, field('Culture'), 400, 'Invalid request parameters'],
    [400, field('StatementDescriptor'), 400, 'Invalid request parameters'],
    [400, field('AuthorId'), 400, 'Invalid request parameters'],
    [400, field('CreditedWalletId'), 400, 'Invalid request parameters'],
    [400, field('ANewField'), 502, 'Failed to process payment'],
    [400, error('param_error'), 502, 'Failed to process payment'],
    [400, error('currency_incompatibility', { currency: 'differs' }), 400, 'Invalid currency'],
    [400, error('disabled_mean_of_payment_for_currency'), 400, 'Invalid method'],
    [400, error('invalid_action'), 502, 'Failed to process payment'],
    [403, error('forbidden_ressource'), 502, 'Failed to process payment'],
    [404, error('ressource_not_found', { RessourceNotFound: 'Cannot found the ressource Card with the id=1' }), 502,
        'Failed to process payment'],
    [404, error('ressource_not_found', { ResourceNotFound: 'no such card' }), 502, 'Failed to process payment'],
    [405, error('method_not_allowed'), 502, 'Failed to process payment'],
    [413, error('too_large'), 502, 'Failed to process payment'],
    [415, error('unsupported_media_type'), 502, 'Failed to process payment'],
    [422, error('unprocessable'), 502, 'Failed to process payment'],
];
// Nothing that we understand: it may have happened.
const payin = (changes) => ({ Id: 'payin_m_01HQZ0F0RE1GN0000000000000', Tag: null, Type: 'PAYIN', Nature: 'REGULAR',
    PaymentType: 'CARD', ExecutionType: 'DIRECT', Status: 'CREATED', SecureModeRedirectURL: null, ...changes });
const RIDDLES = [
    ['411', 411, error('length_required')], ['500', 500, error('internal_error')], ['502 of HTML', 502, '<html>'],
    ['a redirect', 302, ''], ['202', 202, payin()], ['204', 204, ''], ['200 without a body', 200, ''],
    ['200 of HTML', 200, '<!DOCTYPE html>'], ['cut JSON', 200, '{"Id":"payin_m_1","Status":"SUCC'],
    ['an array', 200, '[]'], ['an unknown status', 200, payin({ Status: 'PENDING' })], ['no id', 200, payin({ Id: '' })],
    ['an address that is none', 200, payin({ SecureModeRedirectURL: 'javascript:alert(1)' })],
    ['400 without a type', 400, { Message: 'no' }],
];

describe('errors as Mangopay documents them', () => {
    const CREATE = /\/payins\/card\/direct/;

    for (const [status, body, told, words] of REFUSALS)
        test(`${status} ${body.Type} ${Object.keys(body.errors ?? {})}: ${words}`, async () => {
            const text = { ...body, Message: `${body.Message} ${SECRET}` };
            proxy.plan({ path: CREATE, status, body: text });
            const made = await direct();
            refused(made, told, words);
            const [answer] = await answersOf(shop, made.id);
            assert.equal(answer.outcome, 'refused');
            assert.match(answer.reason, new RegExp(`^Mangopay answered ${status} ${body.Type}`)); // for operators
            assert.equal(await statusOf(shop, made.id), 'failed');
            assert.doesNotMatch(answer.reason + made.text, new RegExp(SECRET)); // texts of theirs are not repeated
        });

    test('a method is told as a parameter by the newer endpoint, which has no message of its own for it', async () => {
        proxy.plan({ path: /\/payins\/card\/web/, status: 400, body: error('disabled_mean_of_payment_for_currency') });
        refused(await deposit(VALUE), 400, 'Invalid request parameters');
    });

    for (const [name, status, body] of RIDDLES)
        test(`${name}: nobody knows what became of it`, async () => {
            proxy.plan({ path: CREATE, status, body });
            const made = await direct();
            refused(made, 502, 'Failed to process payment');
            assert.equal((await answersOf(shop, made.id))[0].outcome, 'unknown');
            assert.equal(await statusOf(shop, made.id), 'pending');
            assert.equal(await credits(made.id), 0);
        });
});

describe('a used-up rate: the caller is told for how long', () => {
    const now = () => Math.floor(Date.now() / 1000);
    const lines = (name, values) => values.flatMap((value) => [name, String(value)]);
    const LONG = 90_000;
    for (const [name, headers, wait] of [
        ['four lines, the first window', () => [...lines('X-RateLimit-Remaining', [0, 10, 10, 10]),
            ...lines('X-RateLimit-Reset', [now() + 40, now() + 900, now() + 1900, now() + LONG])], 40],
        ['one line with four', () => [...lines('X-RateLimit-Remaining', ['0, 10, 10, 10']),
            ...lines('X-RateLimit-Reset', [`${now() + 40}, ${now() + 900}, ${now() + 1900}, ${now() + LONG}`])], 40],
        ['two windows: the later', () => [...lines('X-RateLimit-Remaining', [0, 0, 10, 10]),
            ...lines('X-RateLimit-Reset', [now() + 40, now() + 900, now() + 1900, now() + LONG])], 900],
        ['all: a day at the most', () => [...lines('X-RateLimit-Remaining', [0, 0, 0, 0]),
            ...lines('X-RateLimit-Reset', [now() + 40, now() + 900, now() + 1900, now() + LONG])], 86400],
        ['no windows, Retry-After', () => ['Retry-After', '9'], 9],
        ['nothing is said', () => [], 60],
        ['a window that is over', () => [...lines('X-RateLimit-Remaining', [0]), ...lines('X-RateLimit-Reset', [now() - 5])], 60],
    ])
        test(name, async () => {
            proxy.plan({ path: /\/payins\/card\/direct/, status: 429, headers: headers(), body: error('rate_limit') });
            const made = await direct();
            refused(made, 503, 'Provider unavailable');
            assertWait(made, wait);
            assert.equal(await statusOf(shop, made.id), 'failed');
        });
});

describe('tokens', () => {
    const TOKEN = /\/oauth\/token$/;
    const forget = () => mangopay.act('forget_tokens', {}).then(mangopay.renew);
    before(() => shop.stopPart('jobs')); // they have a token of their own, and would be given what is planned
    after(() => shop.startPart('jobs'));

    test('one that has run out is renewed once, whoever finds out', async () => {
        accepted(await create());
        await forget();
        const mark = proxy.calls.length;
        const all = await Promise.all(Array.from({ length: 8 }, () => create()));
        for (const made of all) accepted(made);
        const asked = proxy.since(mark, 'POST', TOKEN);
        assert.equal(asked.length, 1);
        for (const made of all) assert.equal((await journal(made)).sessions.length, 1);
    });

    test('one whose time is over by Mangopay\'s clock, too', async () => {
        await mangopay.advance(3600);
        mangopay.renew();
        accepted(await create());
    });

    for (const [name, answer] of [
        ['invalid_client', { status: 401, body: { error: 'invalid_client' } }],
        ['a server that is down', { status: 503, body: '' }],
        ['a rate that is used up', { status: 429, body: error('rate_limit') }],
        ['garbage', { status: 200, body: '<html>' }],
        ['no token', { status: 200, body: { token_type: 'bearer', expires_in: 1199 } }],
        ['a token of another kind', { status: 200, body: { access_token: 'a', token_type: 'mac', expires_in: 1199 } }],
        ['a token that is dead already', { status: 200, body: { access_token: 'a', token_type: 'bearer', expires_in: 0 } }],
    ])
        test(`${name} instead of one: nothing is sent, and the caller may try again`, async () => {
            await forget();
            proxy.plan({ path: TOKEN, ...answer });
            const key = newKey();
            const made = await create(key);
            refused(made, 503, 'Provider unavailable');
            assert.equal(await statusOf(shop, made.id), 'failed');
            assert.equal((await journal(made)).sessions.length, 0);
            await closeBreaker();
            const again = await create(key);
            assert.match(accepted(again).url, /\/mangopay\/pay\//);
            assert.notEqual(again.id, made.id);
        });
});

// --- notices, and what is read after them ---

const NOTICES = [ // fault, whether its notice completes the payment
    ['webhook_duplicate', { copies: 20 }, true], ['webhook_late', { ms: 300 }, true],
    ['webhook_reordered', { ms: 300 }, true], ['webhook_dropped', {}, false], ['foreign_id', {}, false],
];
const READS = [ // fault, what the payer sees meanwhile
    ['slow', { ms: 5500 }], ['error_5xx', { status: 500 }], ['garbage', {}],
    ['connection_reset', { count: 2 }], // a question on a used connection is asked again at once
    ['rate_limited', {}], ['unauthorized', { count: 2 }], ['readback_404', {}], ['readback_pending', {}],
];
const AMOUNT = /^SUCCEEDED: another amount than the payment's \(\d+\.\d\d USD\)$/;
const LIES = [ // fault, why a person looks
    ['wrong_amount', { delta: -1 }, AMOUNT], ['wrong_amount', { delta: 1 }, AMOUNT],
    ['wrong_currency', { currency: 'EUR' }, /^SUCCEEDED: credited funds that are not the debited ones less the fees \(\d+\.\d\d EUR\)$/],
];

describe('F01, F18, F20: notices that meet', () => {
    for (const [fault, args, told] of NOTICES)
        test(`${fault}`, async () => {
            const made = await unasked(await create());
            await mangopay.fault(fault, { order_id: tagOf(made), ...args });
            await pay(made);
            if (told) {
                const payment = await is(made, 'completed');
                assert.equal(payment.timeline.at(-1).source, 'webhook');
            } else {
                await eventually(async () => (await sandbox.journal({ order_id: 'none' })).armed.length === 0);
                assert.equal((await client.payment(alice, made.id)).status, 'pending');
                await hurryUntil(shop, async () => await statusOf(shop, made.id) === 'completed', { id: made.id });
            }
            assert.equal(await credits(made.id), 1);
        });

    test('what is named by a notice and is not ours: for a person', async () => {
        await eventually(() => shop.value("SELECT COUNT(*) FROM inbox WHERE provider = 'mangopay' AND body LIKE '%F0RE1GN%'"));
    });
});

describe('F18, F28, F34: the reading after a notice that meets', () => {
    for (const [fault, args] of READS)
        test(`${fault}: the notice waits, and is taken again`, async () => {
            const made = await unasked(await create());
            await mangopay.fault(fault, { call: 'read', order_id: tagOf(made), ...args });
            await pay(made);
            const reference = await referenceOf(made.id);
            await eventually(async () => {
                const [row] = await shop.rows('SELECT state, note FROM inbox WHERE body LIKE ?', [`%RessourceId=${reference}%`]);
                return row?.state === 'unmatched' && row.note !== '' && row;
            });
            assert.equal(await credits(made.id), 0);
            await sandbox.reset();
            await hurryUntil(shop, async () => await statusOf(shop, made.id) === 'completed', { id: 'none' });
            assert.equal((await client.payment(alice, made.id)).timeline.at(-1).source, 'webhook');
            assert.equal(await credits(made.id), 1);
        });

    test('a token that is refused once is renewed meanwhile', async () => {
        const made = await create();
        await mangopay.fault('unauthorized', { call: 'read', order_id: tagOf(made) });
        await pay(made);
        await is(made, 'completed');
        assert.equal(await credits(made.id), 1);
    });

    for (const [fault, args, why] of LIES)
        test(`${fault} ${JSON.stringify(args)}: nothing is credited, a person looks; the truth is taken later`, async () => {
            const made = await unasked(await create());
            await mangopay.fault(fault, { call: 'read', order_id: tagOf(made), ...args });
            await pay(made);
            const [review] = await eventually(async () => {
                const found = await reviews(made.id);
                return found.length > 0 && found;
            });
            assert.match(review.note, why);
            assert.deepEqual([await credits(made.id), await statusOf(shop, made.id)], [0, 'pending']);
            await hurryUntil(shop, async () => await statusOf(shop, made.id) === 'completed', { id: made.id });
            assert.equal(await credits(made.id), 1);
        });
});

// --- refunds ---

const REFUNDS = [ // fault, status, what is said, what becomes of it by the jobs
    ['slow', { ms: 300 }, 200, 'done'], ['timeout_after_success', { ms: 5500 }, 200, 'done'],
    ['connection_reset_after_success', {}, 200, 'done'], ['garbage', {}, 200, 'done'],
    ['unauthorized', {}, 200, 'done'], ['connection_reset', {}, 200, 'pending'],
    ['error_5xx', {}, 200, 'pending'], ['refund_held', {}, 200, 'pending'],
    ['rate_limited', { retry_after: 7 }, 503, 'Provider unavailable'],
    ['unauthorized', { count: 2 }, 503, 'Provider unavailable'],
    ['error_code', { code: 5408 }, 409, 'The provider refuses this refund'],
];

describe('a refund that meets', () => {
    const refund = (made, key) => client.request('POST', `/payments/${made.id}/refunds`, { body: {}, token: olivia.jwt, key });
    const hurryRefunds = () => shop.rows('UPDATE refund_orders SET due_at = UTC_TIMESTAMP(3) WHERE due_at IS NOT NULL');

    for (const [fault, args, status, said] of REFUNDS)
        test(`${fault} ${JSON.stringify(args)}: ${said}; the money goes back once`, async () => {
            const made = await direct();
            accepted(made);
            const Id = await referenceOf(made.id), key = newKey();
            await mangopay.fault(fault, { order_id: tagOf(made), ...(fault !== 'refund_held' && { call: 'create' }), ...args });
            const answer = await refund(made, key);
            if (status !== 200) refused(answer, status, said);
            else assert.equal(accepted(answer).state, said, answer.text);
            if (fault === 'refund_held') {
                const [held] = await mangopay.get(`/payins/${Id}/refunds`);
                await mangopay.act('refund_end', { refund_id: held.Id });
            }
            if (status !== 200) accepted(await refund(made)); // and once more, as operators do
            await eventually(async () => {
                await hurryRefunds();
                return await statusOf(shop, made.id) === 'refunded';
            }, 10_000, 300);
            const there = (await mangopay.get(`/payins/${Id}/refunds`)).filter((row) => row.Status === 'SUCCEEDED');
            assert.equal(there.length, 1);
            assert.equal(await shop.value("SELECT COUNT(*) FROM ledger_postings WHERE document_id = ? AND effect = 'refund'",
                [made.id]), 1);
        });
});

test('every fault of /control that can happen to Mangopay has its row here', async () => {
    const { faults } = await sandbox.journal({ order_id: 'none' });
    const rows = [...CREATES.map(({ fault }) => fault), ...[NOTICES, READS, LIES, REFUNDS].flat().map(([fault]) => fault),
        'webhook_before_answer'];
    // of Payviox alone, of signed notices, of the marketplace's own receivers
    const others = ['payment_error', 'bad_signature', 'gone'];
    assert.deepEqual([...new Set([...rows, ...others])].sort(), Object.keys(faults).sort());
    await assert.rejects(mangopay.fault('bad_signature'), /cannot happen there/);
    await assert.rejects(mangopay.fault('gone'), /cannot happen there/);
});
