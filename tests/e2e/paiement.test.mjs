// POST /paiement/{provider}, the older endpoint for deposits: what it takes and refuses, in which
// order, and what becomes of the money, also when the house brand hands the deposit to a partner.
import assert from 'node:assert/strict';
import test, { after, afterEach } from 'node:test';
import { hurryUntil, letRest, makeProviderProxy, statusOf, triesOf, withChangedConf } from './lib/chaos.mjs';
import { eventually, nowSeconds } from './lib/client.mjs';
import { accepted, refused } from './lib/expect.mjs';
import { IDS, startInstance } from './lib/instance.mjs';
import { makeLedger } from './lib/ledger.mjs';

const proxy = await makeProviderProxy();
after(() => proxy.end());
const shop = await startInstance({
    name: 'paiement',
    set: { 'provider.timeout': 6000, 'payviox.api_url': `https://localhost:${proxy.port}/payviox` },
});
proxy.attach(shop);
const { client, sandbox } = shop;
const { alice, bob } = shop.users;
// nginx/demo/guichet.conf.in
const LIMITS = {
    payviox: { USD: [500, 50000], EUR: [500, 50000], GBP: [500, 50000], JPY: [500, 50000], KWD: [1500, 150000] },
    mannco: {
        USD: [1000, 100000], EUR: [1000, 100000], GBP: [1000, 100000], JPY: [1000, 100000], KWD: [3000, 300000],
    },
};
const UNKNOWN = 'Payment outcome unknown';
const RUNNING = 'A request with this Idempotency-Key is still running';
const REUSED = 'Idempotency-Key was used with another request';

let keys = 0;
const newKey = () => `older-${process.pid}-${keys++}`;
const create = (body, options, user = alice) => client.paiement(user, body, options);
const asJson = (text) => ({ body: text, headers: { 'Content-Type': 'application/json' } });

async function open(body, options, user = alice) {
    const answer = await create({ amount: 2000, ...body }, options, user);
    accepted(answer);
    return answer;
}

const sessionsOf = async (id) => (await sandbox.journal({ order_id: id })).sessions;
const balanceIn = async (user, currency) =>
    accepted(await client.request('GET', `/user/balance?currency=${currency}`, { token: user.jwt })).balance;
const { entries } = makeLedger(shop);
const rowOf = async (id) => (await shop.rows('SELECT * FROM payments WHERE payment_id = ?', [id]))[0];

// Fn makes no payment, no attempt and asks no provider for a session.
async function makesNothing(fn) {
    const count = async () => [
        ...(await shop.rows('SELECT COUNT(*) AS n FROM payments UNION ALL SELECT COUNT(*) FROM attempts')).map(
            (row) => row.n),
        await sandbox.creates(),
    ];
    const before = await count();
    await fn();
    assert.deepEqual(await count(), before);
}

// What a test leaves open is no create of the next one's, and takes none of its faults and cuts.
afterEach(async () => {
    await letRest(shop);
    await sandbox.reset();
});

test('the answer has every member, and the payment can be looked up', async () => {
    const answer = await create({
        amount: 10000, currency: 'USD', returnUrl: 'https://yourapp.com/payment/success', method: 'credit_card',
    });
    const content = accepted(answer);
    assert.deepEqual(Object.keys(content),
        ['paymentId', 'provider', 'amount', 'currency', 'status', 'paymentUrl', 'expiresAt']);
    assert.match(content.paymentId, /^PAY_[0-9A-HJKMNP-TV-Z]{26}$/);
    assert.equal(answer.headers.location, `/payments/${content.paymentId}`);
    assert.equal(content.provider, 'payviox');
    assert.equal(content.amount, 10000);
    assert.equal(content.currency, 'USD');
    assert.equal(content.status, 'pending');
    assert.ok(content.paymentUrl.startsWith(`${shop.urls.sandbox}/payviox/secure/`), content.paymentUrl);
    assert.match(content.expiresAt, /^\d{10}$/);
    assert.ok(Math.abs(Number(content.expiresAt) - nowSeconds() - 3600) <= 5, content.expiresAt);

    const payment = await client.payment(alice, content.paymentId);
    assert.deepEqual(
        [payment.provider, payment.type, payment.amount, payment.currency, payment.method, payment.status],
        ['payviox', 'balance', 10000, 'USD', 'credit_card', 'pending']);
    assert.equal(payment.url, content.paymentUrl);
    assert.equal(Math.floor(Date.parse(payment.expiresAt) / 1000), Number(content.expiresAt));
    const row = await rowOf(content.paymentId);
    assert.equal(row.surface, 'paiement');
    assert.equal(row.return_url, 'https://yourapp.com/payment/success');
    assert.equal(row.tos_accepted_at, null);
});

test('an amount is enough: dollars, no returnUrl, the hosted page', async () => {
    for (const options of [
        { body: { amount: 1000 } },
        { body: { amount: 1000, currency: null, returnUrl: null, method: null } },
        { form: { amount: '1000' } },
        { form: { amount: '1000', currency: '', returnUrl: '', method: '' } },
    ]) {
        const answer = await create(undefined, options);
        const content = accepted(answer);
        assert.deepEqual([content.amount, content.currency], [1000, 'USD']);
        const row = await rowOf(content.paymentId);
        assert.deepEqual([row.return_url, row.method], [null, null]);
        assert.equal((await sessionsOf(answer.id))[0].asked_method, null);
    }
});

test('a form says the same as JSON', async () => {
    const form = { amount: '1250', currency: 'EUR', returnUrl: 'https://yourapp.com/x?a=b&c=%20#d',
        method: 'paypal' };
    const answer = await create(undefined, { form });
    const content = accepted(answer);
    assert.deepEqual([content.amount, content.currency, content.status], [1250, 'EUR', 'pending']);
    assert.match(content.paymentUrl, /\/payviox\/redirect\/paypal\//);
    const row = await rowOf(answer.id);
    assert.deepEqual([row.method, row.return_url], ['paypal', form.returnUrl]);
});

test('paid: the webhook credits the balance in the payment\'s currency, and no other', async () => {
    const before = { USD: await balanceIn(bob, 'USD'), EUR: await balanceIn(bob, 'EUR') };
    const made = await open({ amount: 5000, currency: 'EUR' }, {}, bob);
    assert.equal((await client.pay(made.url)).status, 303);
    await client.paymentIs(bob, made.id, 'completed');
    assert.deepEqual({ USD: await balanceIn(bob, 'USD'), EUR: await balanceIn(bob, 'EUR') },
        { ...before, EUR: before.EUR + 5000 });
    const { fees } = (await sessionsOf(made.id))[0];
    assert.deepEqual(await entries(made.id), [
        { kind: 'user', owner: IDS.bob, effect: 'credit', amount: 5000, currency: 'EUR' },
        { kind: 'provider', owner: 'payviox', effect: 'credit', amount: -5000 - fees, currency: 'EUR' },
        { kind: 'provider_fees', owner: 'payviox', effect: 'credit', amount: fees, currency: 'EUR' },
    ]);
});

for (const [provider, currencies] of Object.entries(LIMITS))
    test(`${provider}: the smallest and the largest deposit of each currency, and what lies beyond`, async () => {
        for (const [currency, [minimum, maximum]] of Object.entries(currencies)) {
            for (const amount of [minimum, maximum]) {
                const content = accepted(await create({ amount, currency }, { provider }));
                assert.deepEqual([content.provider, content.amount, content.currency], [provider, amount,
                    currency]);
                const [session] = await sessionsOf(content.paymentId);
                assert.deepEqual([session.amount, session.currency], [amount, currency]);
            }
            await makesNothing(async () => {
                for (const amount of [minimum - 1, maximum + 1])
                    refused(await create({ amount, currency }, { provider }), 400, 'Invalid amount');
            });
        }
    });

test('F32: what is no amount is refused, and leaves nothing', async () => {
    const bad = ['0', '-1', '-0', '1', '10.5', '1000.0', '1e3', '1E3', '0.5', '"1000"', '""', '"NaN"', 'true',
        'null', '[1000]', '{}', '2147483648', '4294967296', '9223372036854775807', '9223372036854775808',
        '18446744073709552616', `1${'0'.repeat(30)}`, '2500001', '1e-1', '"１０００"'];
    await makesNothing(async () => {
        for (const amount of bad)
            refused(await create(undefined, asJson(`{"amount":${amount}}`)), 400, 'Invalid amount');
        refused(await create({}), 400, 'Invalid amount');
        refused(await create({ Amount: 1000, value: 1000 }), 400, 'Invalid amount');
        for (const amount of ['', '0', '-1', '+1000', '10.5', '1e3', ' 1000', '1000 ', '1,000', '01000', 'NaN',
            '0x3e8', '2147483648', '9223372036854775808', `1${'0'.repeat(30)}`])
            refused(await create(undefined, { form: { amount } }), 400, 'Invalid amount');
        // no JSON at all
        for (const text of ['{"amount":NaN}', '{"amount":01000}', '{"amount":Infinity}', '{"amount":+1000}',
            '{"amount":.5}', '{"amount":1000', '{"amount":1000,"amount":2000}', '[]', '1000', '',
            '{"amount":1000}{}'])
            refused(await create(undefined, asJson(text)), 400, 'Invalid request parameters');
    });
});

test('a currency that the provider does not take, or that is none', async () => {
    await makesNothing(async () => {
        for (const currency of ['usd', 'Usd', 'US', 'USDX', 'CHF', 'XTS', 'BTC', '', ' USD', '€', 840, true,
            ['USD'], {}])
            refused(await create({ amount: 1000, currency }), 400, 'Invalid currency');
        for (const currency of ['usd', 'CHF', ' '])
            refused(await create(undefined, { form: { amount: '1000', currency } }), 400, 'Invalid currency');
    });
});

// F52. Listed in the demo: localhost and 127.0.0.1 with any port, and yourapp.com.
const HOSTILE = ['https://evil', 'https://evil.example/', 'http://evil.example/', '//evil', '/\\evil',
    '\\\\evil', '/path', 'path', '', '?', '#', 'javascript:alert(1)', 'JavaScript:alert(1)',
    'data:text/html,x', 'vbscript:x', 'file:///etc/passwd', 'ftp://yourapp.com/', 'https:yourapp.com',
    'https:/yourapp.com', 'https:///yourapp.com', 'https://', 'https://user@yourapp.com/',
    'https://user:secret@yourapp.com/', 'https://yourapp.com@evil.example/',
    'https://yourapp.com:443@evil.example', 'https://yourapp.com\\@evil.example',
    'https://yourapp.com.evil.example/', 'https://evil.example/yourapp.com',
    'https://evil.example?yourapp.com', 'https://evil.example#yourapp.com', 'https://notyourapp.com/',
    'https://sub.yourapp.com/', 'https://yourapp.com./', 'https://yourapp.com:8443/', 'https://yourapp.com:/',
    'https://yourapp.com:0443/', 'https://yourapp.com:99999/', 'http://yourapp.com/', 'HTTPS://yourapp.com/',
    ' https://yourapp.com/', 'https://yourapp.com/ ', 'https://yourapp.com/a b', '\thttps://yourapp.com/',
    'https://yourapp.com/\r\nSet-Cookie: a=b', 'https://yourapp.com/\nx',
    'https://yourapp.com/%0d%0aSet-Cookie:%20a=b', 'https://yourapp.com/%00', 'https://yourapp.com/%',
    'https://yourapp.com/%zz', 'https://yourapp.com/"', 'https://yourapp.com/<script>',
    'https://yourapp.com/\\evil', 'https://xn--yourpp-8va.com/', 'https://yourápp.com/',
    'https://yourapp。com/', 'https://yourapp.com/é', 'https://ｙourapp.com/', 'https://%79ourapp.com/',
    'https://[::1]/', 'https://127.1/', 'https://0x7f.0.0.1/', 'https://2130706433/',
    'https://localhost.evil.example/', 'https://yourapp.com/#a#b', `https://yourapp.com/${'a'.repeat(1981)}`,
    `https://yourapp.com/${'a'.repeat(5000)}`,
    1, true, ['https://yourapp.com/'], { url: 'https://yourapp.com/' }];

test('F52: a returnUrl that leads elsewhere is refused, and nothing is stored', async () => {
    await makesNothing(async () => {
        for (const returnUrl of HOSTILE)
            refused(await create({ amount: 1000, returnUrl }), 400, 'Invalid returnUrl');
        for (const returnUrl of HOSTILE.filter((url) => typeof url === 'string' && url !== ''))
            refused(await create(undefined, { form: { amount: '1000', returnUrl } }), 400, 'Invalid returnUrl');
    });
});

test('a returnUrl of a listed host is stored as it is', async () => {
    for (const returnUrl of ['https://yourapp.com', 'https://yourapp.com/', 'https://YourApp.com/Paid',
        'https://yourapp.com:443/', 'https://yourapp.com/a/../b?x=%2F&y=1+2#part',
        'https://localhost:3000/done', 'http://localhost:3000/done',
        'http://127.0.0.1:8080/', 'https://localhost', `https://yourapp.com/${'a'.repeat(1980)}`]) {
        const made = await open({ returnUrl });
        assert.equal((await rowOf(made.id)).return_url, returnUrl);
    }
});

test('the words for methods become the provider\'s own ids; its own ids pass as they are', async () => {
    const known = {
        credit_card: 'stripe_credit', paypal: 'paypal', crypto: 'cryptocom', stripe_credit: 'stripe_credit',
        cryptocom: 'cryptocom', zen_card: 'zen_card', zen_blik: 'zen_blik', nicepay_va: 'nicepay_va',
        nicepay_ewallet: 'nicepay_ewallet',
    };
    for (const provider of ['payviox', 'mannco'])
        for (const [method, id] of Object.entries(known)) {
            const made = await open({ method }, { provider });
            assert.equal((await sessionsOf(made.id))[0].asked_method, id, `${provider} ${method}`);
            assert.equal((await client.payment(alice, made.id)).method, method);
            const direct = !['stripe_credit'].includes(id);
            assert.equal(made.url.includes(`/payviox/redirect/${id}/`), direct, made.url);
        }
    for (const method of ['payssion', 'pallapay', 'cryptocom_btc']) {
        const made = await open({ method });
        assert.equal((await sessionsOf(made.id))[0].asked_method, method);
    }
});

test('a method that nobody has', async () => {
    await makesNothing(async () => {
        for (const method of ['', 'a b', 'a/b', '<', 'é', 'x'.repeat(65), 5, true, ['paypal'], {}])
            refused(await create({ amount: 1000, method }), 400, 'Invalid method');
        // the house brand knows what its partners have
        for (const method of ['seashells', 'cryptocom_btc', 'PayPal'])
            refused(await create({ amount: 1000, method }, { provider: 'mannco' }), 400, 'Invalid method');
    });
    const answer = await create({ amount: 1000, method: 'x'.repeat(64) });
    refused(answer, 502, 'Failed to process payment'); // the provider's own word on it
    assert.equal((await client.payment(alice, answer.id)).status, 'failed');
});

test('the order of the checks: each is reached only when those before have passed', async () => {
    const wrong = { amount: 0, currency: 'XTS', returnUrl: 'https://evil', method: '<' };
    const send = (path, body, options = { token: alice.jwt }) => client.request('POST', path, { body, ...options });
    await makesNothing(async () => {
        refused(await send('/paiement', wrong, {}), 400, 'Provider is required');
        refused(await send('/paiement/', wrong, {}), 400, 'Provider is required');
        refused(await send('/paiement/nobody', wrong, {}), 401, 'Unauthorized');
        refused(await send('/paiement/nobody', wrong, { token: 'x' }), 401, 'Unauthorized');
        for (const name of ['nobody', 'Payviox', 'payviox2', '%70ayviox%20', 'p'.repeat(300)])
            refused(await send(`/paiement/${name}`, wrong), 400, 'Invalid provider');
        refused(await send('/paiement/payviox', wrong), 400, 'Invalid amount');
        refused(await send('/paiement/payviox', { ...wrong, amount: 499 }), 400, 'Invalid currency');
        refused(await send('/paiement/payviox', { ...wrong, amount: 499, currency: 'USD' }), 400, 'Invalid amount');
        refused(await send('/paiement/payviox', { ...wrong, amount: 500, currency: 'USD' }), 400,
            'Invalid returnUrl');
        refused(await send('/paiement/payviox',
            { ...wrong, amount: 500, currency: 'USD', returnUrl: null }), 400, 'Invalid method');
    });
});

test('other methods, paths and content types', async () => {
    await makesNothing(async () => {
        for (const method of ['GET', 'PUT', 'DELETE', 'PATCH'])
            refused(await client.request(method, '/paiement/payviox', { token: alice.jwt }), 405,
                'Method not allowed');
        refused(await client.request('POST', '/paiement/payviox/x', { token: alice.jwt,
            body: { amount: 1000 } }), 404,
            'Not found');
        for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/xml'])
            refused(await create(undefined, { body: '{"amount":1000}', headers: { 'Content-Type': type } }), 415,
                'Unsupported media type');
    });
});

test('a banned user: Invalid user', async () => {
    assert.equal(shop.ctl('user', 'ban', '--id', IDS.bob).status, 0);
    try {
        await makesNothing(async () => refused(await create({ amount: 1000 }, {}, bob), 403, 'Invalid user'));
    } finally {
        assert.equal(shop.ctl('user', 'unban', '--id', IDS.bob).status, 0);
    }
});

test('a provider that cannot be reached: Provider unavailable, and the same key may be tried again', async () => {
    for (const provider of ['payviox', 'mannco']) {
        const key = newKey();
        const answer = await proxy.cut('refused', () => create({ amount: 1500 }, { provider, key }));
        refused(answer, 503, 'Provider unavailable');
        assert.equal((await client.payment(alice, answer.id)).status, 'failed');
        const again = await create({ amount: 1500 }, { provider, key });
        accepted(again);
        assert.notEqual(again.id, answer.id);
        assert.equal(again.headers['idempotent-replayed'], undefined);
    }
});

test('a provider that takes no more, refuses, fails or breaks off', async () => {
    const cases = [
        ['rate_limited', { retry_after: 23 }, 503, 'Provider unavailable', 'failed'],
        ['refused', {}, 502, 'Failed to process payment', 'failed'],
        ['unauthorized', {}, 502, 'Failed to process payment', 'failed'],
        ['error_5xx', {}, 502, 'Failed to process payment', 'pending'],
        ['garbage', {}, 502, 'Failed to process payment', 'pending'],
        ['connection_reset', {}, 504, UNKNOWN, 'pending'],
    ];
    for (const provider of ['payviox', 'mannco'])
        for (const [fault, args, status, message, payment] of cases) {
            await sandbox.fault(fault, { call: 'create', ...args });
            const answer = await create({ amount: 1500 }, { provider });
            refused(answer, status, message);
            assert.equal(await statusOf(shop, answer.id), payment, fault);
            if (fault === 'rate_limited') assert.equal(answer.headers['retry-after'], '23');
        }
});

test('a provider that is switched off: Invalid provider; the house brand without partners is unavailable',
    async () => {
    const switchOff = (smallest, fn) =>
        withChangedConf(shop, `enabled = on\ndeposits = USD:${smallest}-`,
            `enabled = off\ndeposits = USD:${smallest}-`, fn);
    await switchOff(LIMITS.payviox.USD[0], async () => {
        await makesNothing(async () => {
            refused(await create({ amount: 1500 }), 400, 'Invalid provider');
            refused(await create({ amount: 1500 }, { provider: 'mannco' }), 503, 'Provider unavailable');
        });
    });
    await switchOff(LIMITS.mannco.USD[0], async () => {
        refused(await create({ amount: 1500 }, { provider: 'mannco' }), 400, 'Invalid provider');
        accepted(await create({ amount: 1500 }));
    });
});

test('the house brand: a partner carries the deposit out, and the books say which', async () => {
    const before = await balanceIn(alice, 'USD');
    const made = await open({ amount: 4000, method: 'credit_card', currency: 'USD' }, { provider: 'mannco' });
    assert.equal(made.json.content.provider, 'mannco');
    assert.ok(made.url.startsWith(`${shop.urls.sandbox}/payviox/secure/`), made.url);
    await client.pay(made.url);
    const payment = await client.paymentIs(alice, made.id, 'completed');
    assert.equal(payment.provider, 'mannco');
    assert.deepEqual(payment.timeline.map(({ kind, detail, source }) => [kind, detail, source]), [
        ['created', 'mannco', 'request'],
        ['attempt', 'payviox pending', 'request'],
        ['completed', 'payviox says succeeded', 'webhook'],
    ]);
    assert.equal(await balanceIn(alice, 'USD'), before + 4000);
    const { fees } = (await sessionsOf(made.id))[0];
    assert.deepEqual((await entries(made.id)).map(({ kind, owner, amount }) => [kind, owner, amount]), [
        ['user', IDS.alice, 4000],
        ['provider', 'payviox', -4000 - fees],
        ['provider_fees', 'payviox', fees],
    ]);
    await sandbox.act('refund', { order_id: made.id });
    await client.paymentIs(alice, made.id, 'refunded');
    assert.equal(await balanceIn(alice, 'USD'), before);
    assert.deepEqual((await entries(made.id)).slice(3).map(({ kind, owner, amount }) => [kind, owner, amount]), [
        ['user', IDS.alice, -4000],
        ['provider', 'payviox', 4000],
    ]);
});

test('F20: without a webhook the check finds the payment, through the house brand as well', async () => {
    for (const provider of ['payviox', 'mannco']) {
        const made = await open({ amount: 3000, currency: 'GBP' }, { provider });
        const before = await balanceIn(alice, 'GBP');
        await sandbox.fault('webhook_dropped', { order_id: made.id });
        await client.pay(made.url);
        await hurryUntil(shop, async () => (await statusOf(shop, made.id)) === 'completed', { id: made.id });
        assert.equal(await balanceIn(alice, 'GBP'), before + 3000);
    }
});

test('F28: another amount or currency than the order\'s credits nothing and waits for a person', async () => {
    const before = await Promise.all(['USD', 'EUR', 'GBP'].map((currency) => balanceIn(alice, currency)));
    for (const wrong of [{ amount: 1999 }, { amount: 2001 }, { currency: 'USD' }, { currency: 'GBP' }]) {
        const made = await open({ currency: 'EUR' });
        assert.deepEqual(await sandbox.webhook({ order_id: made.id, type: 'succeeded', ...wrong }), [200]);
        assert.equal((await client.payment(alice, made.id)).status, 'pending');
        const inbox = await shop.rows('SELECT state FROM inbox WHERE reference = ?', [made.id]);
        assert.deepEqual(inbox, [{ state: 'review' }]);
    }
    assert.deepEqual(await Promise.all(['USD', 'EUR', 'GBP'].map((currency) => balanceIn(alice, currency))),
        before);
});

test('F12: paid before the answer, the answer says completed', async () => {
    await sandbox.fault('webhook_before_answer');
    const made = await open({ amount: 2100 });
    assert.equal(made.json.content.status, 'completed');
    assert.equal((await client.payment(alice, made.id)).status, 'completed');
});

test('the link expires by the clock; a success after that still credits', async () => {
    const made = await open({ amount: 2200, currency: 'EUR' }, { provider: 'mannco' });
    const before = await balanceIn(alice, 'EUR');
    await shop.rows(
        `UPDATE payments SET created_at = created_at - INTERVAL 2 HOUR,
         expires_at = expires_at - INTERVAL 2 HOUR WHERE payment_id = ?`, [made.id]);
    const read = await client.payment(alice, made.id);
    assert.deepEqual([read.status, read.url], ['expired', null]);
    await client.pay(made.url);
    await client.paymentIs(alice, made.id, 'completed');
    assert.equal(await balanceIn(alice, 'EUR'), before + 2200);
});

// --- Idempotency-Key ---

function isReplay(answer, first) {
    assert.equal(answer.status, first.status, answer.text);
    assert.deepEqual(answer.bytes, first.bytes);
    assert.equal(answer.headers.location, first.headers.location);
    assert.deepEqual(answer.all('idempotent-replayed'), ['true'], answer.text);
}

test('a key: the first answer byte for byte, and one payment', async () => {
    for (const provider of ['payviox', 'mannco']) {
        const key = newKey();
        const body = { amount: 1700, currency: 'EUR', method: 'paypal', returnUrl: 'https://yourapp.com/' };
        const first = await create(body, { provider, key });
        accepted(first);
        await makesNothing(async () => {
            for (const spelling of [key, `"${key}"`, key])
                isReplay(await create(body, { provider, key: spelling }), first);
        });
        await client.post(first.url, { email: 'payer@example.test' });
        await client.paymentIs(alice, first.id, 'completed');
        isReplay(await create(body, { provider, key }), first); // as it was, not as it is
        await makesNothing(async () => {
            for (const other of [{ ...body, amount: 1701 }, { amount: 1700 }, {}])
                refused(await create(other, { provider, key }), 422, REUSED);
        });
    }
});

test('a key belongs to a path and a user; refusals are kept under it too', async () => {
    const key = newKey();
    const body = { amount: 1800, type: 'balance', value: 1800, tos_timestamp: 1706745600 };
    const made = [await create(body, { key }), await create(body, { key, provider: 'mannco' }),
        await create(body, { key }, bob), await client.deposit(alice, 1800, { ...body }, { key })];
    for (const answer of made) accepted(answer);
    assert.equal(new Set(made.map((answer) => answer.id)).size, made.length);

    const other = newKey();
    const first = await create({ amount: 1 }, { key: other });
    refused(first, 400, 'Invalid amount');
    isReplay(await create({ amount: 1 }, { key: other }), first);
    refused(await create({ amount: 1800 }, { key: other }), 422, REUSED);
    refused(await create({ amount: 1800 }, { key: '' }), 400, 'Invalid Idempotency-Key');
    refused(await create({ amount: 1800 }, { key: 'x'.repeat(256) }), 400, 'Invalid Idempotency-Key');
    accepted(await create({ amount: 1800 }, { key: 'x'.repeat(255) }));
});

test('F44: twenty at once with one key make one payment', async () => {
    const key = newKey();
    const before = await shop.value('SELECT COUNT(*) FROM payments');
    await sandbox.fault('slow', { ms: 300, call: 'create' });
    const answers = await Promise.all(Array.from({ length: 20 }, () => create({ amount: 1900 }, { key })));
    const ok = answers.filter((answer) => answer.status === 200);
    assert.ok(ok.length >= 1);
    for (const answer of answers)
        if (answer.status !== 200) refused(answer, 409, RUNNING);
    assert.equal(new Set(ok.map((answer) => answer.id)).size, 1);
    assert.equal(await shop.value('SELECT COUNT(*) FROM payments'), before + 1);
});

// The provider makes the session and breaks off. Returns the key and the payment's id.
async function lose(body, options) {
    const key = newKey();
    await sandbox.fault('connection_reset_after_success', { call: 'create' });
    const lost = await create(body, { key, ...options });
    refused(lost, 504, UNKNOWN);
    return { key, id: lost.id };
}

test('F40: an unknown outcome keeps its key open until the truth is known, then answers in full', async () => {
    for (const provider of ['payviox', 'mannco']) {
        const body = { amount: 1600 };
        const { key, id } = await lose(body, { provider });
        refused(await create(body, { provider, key }), 409, RUNNING);
        assert.deepEqual(await sandbox.webhook({ order_id: id, type: 'succeeded' }), [200]);
        await client.paymentIs(alice, id, 'completed');
        await hurryUntil(shop, async () => (await create(body, { provider, key })).status === 200, { id });
        const content = accepted(await create(body, { provider, key }));
        assert.deepEqual(
            [content.paymentId, content.provider, content.amount, content.status, content.paymentUrl],
            [id, provider, 1600, 'completed', null]);
        assert.equal((await sessionsOf(id)).length, 1);
    }
});

test('the same when the notices came one after the other: the answer keeps its shape', async () => {
    const body = { amount: 1650 };
    const { key, id } = await lose(body, {});
    for (const type of ['pending_review', 'succeeded'])
        assert.deepEqual(await sandbox.webhook({ order_id: id, type }), [200]);
    await client.paymentIs(alice, id, 'completed');
    await hurryUntil(shop, async () => (await create(body, { key })).status === 200, { id });
    const content = accepted(await create(body, { key }));
    assert.deepEqual([content.paymentId, content.amount, content.status, content.paymentUrl],
        [id, 1650, 'completed', null]);
});

test('a create that never reached the provider is sent again by the check, with the same words', async () => {
    const body = { amount: 1550, currency: 'EUR', method: 'credit_card' };
    for (const provider of ['payviox', 'mannco']) {
        const key = newKey();
        await sandbox.fault('connection_reset', { call: 'create' });
        refused(await create(body, { provider, key }), 504, UNKNOWN);
        const id = await shop.value('SELECT payment_id FROM idempotency_keys WHERE idempotency_key = ?', [key]);
        await hurryUntil(shop, async () => (await create(body, { provider, key })).status === 200,
            { ended: true, id });
        const again = await create(body, { provider, key });
        const content = accepted(again);
        assert.deepEqual([content.paymentId, content.provider, content.status], [id, provider, 'pending']);
        const [session] = await sessionsOf(id);
        assert.deepEqual([session.amount, session.currency, session.asked_method], [1550, 'EUR', 'stripe_credit']);
        await client.pay(content.paymentUrl);
        await client.paymentIs(alice, id, 'completed');
    }
});

test('a handler that dies in a create leaves a payment that the check brings to its end', async () => {
    const key = newKey();
    const body = { amount: 1450 };
    await sandbox.fault('slow', { ms: 3500, call: 'create' });
    const lost = create(body, { key, provider: 'mannco' });
    const id = await eventually(() =>
        shop.value('SELECT payment_id FROM idempotency_keys WHERE idempotency_key = ?', [key]));
    await eventually(async () => (await sandbox.creates({ order_id: id })) === 1); // it has arrived there
    for (const pid of shop.pids('guichet')) process.kill(pid, 'SIGKILL');
    refused(await lost, 502, UNKNOWN);
    await shop.ready();
    // The first call goes on at the provider; sent again before its end, only one of them makes it.
    await eventually(async () => (await sessionsOf(id)).length === 1);
    await hurryUntil(shop, async () => (await triesOf(shop, id)) > 0, { ended: true, id });
    await sandbox.act('pay', { order_id: id });
    await client.paymentIs(alice, id, 'completed');
    await hurryUntil(shop, async () => (await create(body, { key, provider: 'mannco' })).status === 200,
        { ended: true, id });
    assert.equal((await sessionsOf(id)).length, 1);
});

test('at the end every charge is one credit', async () => {
    const { sessions } = await sandbox.journal();
    for (const session of sessions.filter(({ charges }) => charges > 0))
        await eventually(async () => ['completed', 'refunded'].includes(await statusOf(shop, session.order_id)));
    assert.equal(shop.ctl('ledger', 'verify').status, 0);
});
