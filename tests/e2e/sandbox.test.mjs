// The sandbox itself: Payviox' sessions with carts and currencies, faults of creating one, and the
// mails that it shows.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test, { describe } from 'node:test';
import { DESKTOP, PHONE, assertNoSideScroll, browse, makeShots, sees } from './lib/browser.mjs';
import { eventually } from './lib/client.mjs';
import { startInstance } from './lib/instance.mjs';
import { mailsThat, readMails } from './lib/mails.mjs';

const shop = await startInstance({ name: 'sandbox' });
const { sandbox } = shop;
const shot = makeShots(shop);
const SECRET_KEY = shop.secret('payviox');

let orders = 0;
const CART = [
    { name: 'Mann Co. Supply Crate Key', quantity: 1, price: 1500 },
    { name: 'Schlüssel für „Kiste“ & <Truhe> 🗝', quantity: 3, price: 1000 },
];

const createSession = (changes) =>
    sandbox.request('POST', '/payviox/session', {
        headers: { Authorization: `Bearer ${SECRET_KEY}` },
        body: {
            amount: 4500,
            currency: 'EUR',
            customer: 'alice',
            order_id: `ORDER_${++orders}`,
            items: CART,
            ...changes,
        },
    });

const pageOf = async (answer) => {
    assert.equal(answer.status, 201, answer.text);
    return `${shop.urls.sandbox}/payviox/secure/${answer.json.session_id}`;
};

describe('the front page', () => {
    for (const [name, screen] of [['phone', PHONE], ['desktop', DESKTOP]])
        test(`fits a ${name}`, () => browse(screen, async (page) => {
            await page.goto(`${shop.urls.sandbox}/`);
            await shot(page, `sandbox-front-${name}`);
            await assertNoSideScroll(page);
        }));

    test('the command that it shows works as it stands', async () => {
        await browse(DESKTOP, async (page) => {
            await page.goto(`${shop.urls.sandbox}/`);
            const command = await page.locator('pre', { hasText: 'curl' }).innerText();
            const { stdout, stderr } = spawnSync('bash', ['-c', `${command} -sS`],
                { encoding: 'utf8', env: { ...process.env, CA_CERT: path.join(shop.home, 'tls/ca.pem') } });
            assert.equal(stderr, '');
            assert.deepEqual(JSON.parse(stdout).armed.map(({ fault }) => fault), ['slow']);
        });
        await sandbox.reset();
    });

    test('says of each test card what it does', async () => {
        const { text } = await sandbox.request('GET', '/');
        const cards = [...text.matchAll(/<code>([\d ]{15,})<\/code><\/td><td>([^<]*)/g)];
        for (const [, card_number, words] of cards) {
            const form = { card_number, expiry: '12/40', cvc: card_number.startsWith('37') ? '1234' : '123' };
            const answer = await sandbox.request('POST', await pageOf(await createSession({})), { form });
            const shown = (await sandbox.request('GET', answer.headers.location)).text;
            const wanted = /pays/.test(words) ? /Payment successful/ : /3-D/.test(words) ? /Confirm with your bank/
                : /funds/.test(words) ? /insufficient funds/ : /Your card was declined\./;
            assert.match(shown, wanted, `${card_number} ${words}`);
        }
        const own = cards.filter(([, , words]) => /^Mangopay's own/.test(words));
        assert.deepEqual([cards.length, own.length], [8, 4]);
    });
});

describe('carts', () => {
    test('several items are shown with their names, quantities and prices', () =>
        browse(PHONE, async (page) => {
            await page.goto(await pageOf(await createSession({})));
            const rows = await page.locator('table').first().locator('tr').allInnerTexts();
            const words = rows.map((row) => row.replace(/\s+/g, ' ').trim());
            assert.equal(words[0], 'Mann Co. Supply Crate Key 15.00 EUR');
            assert.equal(words[1], 'Schlüssel für „Kiste“ & <Truhe> 🗝 × 3 30.00 EUR');
            assert.match(words.at(-1), /^Total 46\.61 EUR$/);
            await shot(page, 'sandbox-cart');
            await assertNoSideScroll(page);
        }));

    test('the sum of the items must be the amount', async () => {
        for (const amount of [4499, 4501, 1500]) {
            const answer = await createSession({ amount });
            assert.equal(answer.status, 400, answer.text);
            assert.deepEqual(answer.json, {
                amount: [`The total amount does not match the sum of the items (calculated: 4500, received: ${amount})`],
            });
        }
    });

    test('a name has up to 255 characters, whatever their bytes', async () => {
        const item = (name) => ({ items: [{ name, quantity: 1, price: 4500 }] });
        assert.equal((await createSession(item('ü'.repeat(255)))).status, 201);
        const answer = await createSession(item('ü'.repeat(256)));
        assert.deepEqual(answer.json, {
            'items.0.name': ['The items.0.name field must not be greater than 255 characters.'],
        });
    });
});

describe('currencies', () => {
    for (const [currency, amount, total] of [
        ['USD', 12345, '127.33 USD'],
        ['JPY', 12345, '12733 JPY'],
        ['KWD', 12345, '12.733 KWD'],
        ['CLF', 12345, '1.2733 CLF'],
        ['XAU', 12345, '127.33 XAU'],
    ])
        test(`${currency}: amounts have its own number of digits`, async () => {
            const items = [{ name: 'Balance deposit', quantity: 1, price: amount }];
            const made = await createSession({ amount, currency, items });
            const page = await sandbox.request('GET', await pageOf(made));
            assert.match(page.text, new RegExp(`<p class="sum">${total.replace('.', '\\.')}</p>`));
        });

    for (const currency of ['usd', 'US', 'EURO', 'U$D', '', 840])
        test(`${JSON.stringify(currency)} is none`, async () => {
            const answer = await createSession({ currency });
            assert.equal(answer.status, 400);
            assert.deepEqual(Object.keys(answer.json), ['currency']);
        });

    test('methods that do not take the currency are not offered', async () => {
        const euro = await sandbox.request('GET', await pageOf(await createSession({})));
        assert.match(euro.text, /redirect\/pallapay/);
        assert.doesNotMatch(euro.text, /redirect\/cryptocom/);
        const yen = await sandbox.request('GET', await pageOf(await createSession({ currency: 'JPY' })));
        assert.match(yen.text, /redirect\/paypal/);
        assert.doesNotMatch(yen.text, /redirect\/pallapay/);
    });
});

describe('faults of creating a session', () => {
    for (const [fault, status, error] of [
        ['refused', 400, 'Payment method not found'],
        ['unauthorized', 401, 'Unauthorized'],
        ['rate_limited', 429, 'rate_limit_exceeded'],
        ['error_5xx', 500, 'Server Error'],
    ])
        test(`${fault}: ${status} once, nothing made, then all is well`, async () => {
            const order_id = `FAULT_${fault}`;
            await sandbox.fault(fault, { call: 'create', order_id });
            const answer = await createSession({ order_id });
            assert.equal(answer.status, status);
            assert.equal(answer.json.error, error);
            assert.equal(answer.headers['retry-after'], status === 429 ? '60' : undefined);
            assert.equal((await sandbox.journal({ order_id })).sessions.length, 0);
            assert.equal((await createSession({ order_id })).status, 201);
        });
});

test('the page of events says that there are none', async () => {
    await sandbox.reset();
    assert.match((await sandbox.request('GET', '/hooks/')).text, /None so far\./);
});

test('whoever has only a keyboard sees where he is', async () => {
    const url = await pageOf(await createSession({}));
    await browse(DESKTOP, async (page) => {
        await page.goto(url);
        for (const [role, name] of [['textbox', 'Card number'], ['button', /^Pay /], ['button', 'Cancel']]) {
            const element = page.getByRole(role, { name });
            for (let i = 0; i < 10 && !(await element.evaluate((node) => node.matches(':focus'))); i++) await page.keyboard.press('Tab');
            const color = await element.evaluate((node) => getComputedStyle(node).outlineColor);
            const [r, g, b] = color.match(/\d+/g).map((part) => part / 255)
                .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
            const contrast = 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05); // on the card's white
            assert(contrast >= 3, `${name}: ${color} has a contrast of ${contrast.toFixed(1)}`);
        }
    });
});

test('the control page names the providers that it knows', async () => {
    const { providers } = (await shop.client.request('GET', '/providers')).json.content;
    const played = providers.map(({ name }) => name).filter((name) => name !== 'mannco');
    const answer = await sandbox.request('POST', '/control', { body: { provider: 'nobody', fault: 'slow' } });
    assert.equal(answer.status, 400);
    const [, names] = answer.json.error.match(/^Unknown provider: (.*) are known, and hooks for faults$/);
    assert.deepEqual(names.split(', ').sort(), played.sort());
});

test('a fault is refused where it cannot happen', async () => {
    for (const [fault, provider] of [['error_code', 'payviox'], ['refund_held', 'payviox'], ['gone', 'payviox'],
        ['payment_error', 'nonstopay'], ['refund_held', 'nonstopay'], ['payment_error', 'mangopay'],
        ['bad_signature', 'mangopay'], ['error_code', 'hooks']])
        await assert.rejects(sandbox.fault(fault, { provider }), /cannot happen there/, `${fault} ${provider}`);
    assert.deepEqual((await sandbox.journal()).armed, []);
});

test('cancelling sends the browser back to the merchant; the page still takes the payment', async () => {
    const made = await createSession({ order_id: 'CANCELLED' });
    const url = await pageOf(made);
    const answer = await sandbox.request('POST', url, { form: { action: 'cancel' } });
    assert.equal(answer.status, 303);
    assert.equal(answer.headers.location,
        `${shop.urls.guichet}/return/payviox?session_id=${made.json.session_id}&order_id=CANCELLED`);
    const page = await sandbox.request('GET', url);
    assert.match(page.text, /You cancelled the payment. You can still pay here\./);
    const form = { card_number: '4242424242424242', expiry: '12/40', cvc: '123' };
    assert.equal((await sandbox.request('POST', url, { form })).headers.location,
        new URL(url).pathname);
    // nothing is left to cancel
    const late = await sandbox.request('POST', url, { form: { action: 'cancel' } });
    assert.equal(late.headers.location, new URL(url).pathname);
    assert.equal((await sandbox.journal({ order_id: 'CANCELLED' })).sessions[0].status, 'succeeded');
});

// --- mails ---

const SOCKET = path.join(shop.vars.RUN, 'mail.sock');

// Gives a mail as it stands to the catcher, by SMTP, and returns curl's exit status.
function sendMail(raw, to = 'alice@example.test') {
    const sent = spawnSync('curl', ['--silent', '--max-time', '10', '--unix-socket', SOCKET,
        '--mail-from', 'payments@example.test', '--mail-rcpt', to, '--upload-file', '-',
        'smtp://localhost'], { input: raw });
    return sent.status;
}

// Speaks SMTP line by line: say() returns what is answered to a line.
async function converse(commands) {
    const socket = net.connect(SOCKET);
    const ended = once(socket, 'close');
    const answer = async () => { // up to its last line, in however many parts it comes
        let text = '';
        while (!/^\d{3} .*\r\n$/m.test(text)) text += String((await once(socket, 'data'))[0]);
        return text;
    };
    const say = (line) => {
        socket.write(`${line}\r\n`);
        return answer();
    };
    assert.match(await answer(), /^220 /);
    for (const command of commands) assert.match(await say(command), /^(250|354)[ -]/);
    return { say, ended };
}

const lines = (...list) => list.join('\r\n') + '\r\n';
const base64 = (text) => Buffer.from(text).toString('base64');
const alternative = (subject, text, html) =>
    lines(
        'From: Guichet demo <payments@example.test>',
        'To: Alice <alice@example.test>',
        `Subject: =?UTF-8?B?${base64(subject)}?=`,
        'Date: Fri, 20 Nov 2026 14:35:55 +0000',
        'Message-ID: <PAY_1@example.test>',
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary="next"',
        '',
        '--next',
        'Content-Type: text/plain; charset=UTF-8',
        'Content-Transfer-Encoding: base64',
        '',
        base64(text),
        '--next',
        'Content-Type: text/html; charset=UTF-8',
        'Content-Transfer-Encoding: base64',
        '',
        base64(html).replace(/.{76}/g, '$&\r\n'),
        '--next--',
    );

describe('mails', () => {
    test('what is sent can be read, whole, on one page', async () => {
        assert.deepEqual(await readMails(shop), []);
        const text = 'Grüße,\n12,34 € <sind> "da" & gut.\n.\nDein Laden';
        assert.equal(sendMail(alternative('Bezahlt: 12,34 €', text, '<p>egal</p>')), 0);
        const [mail, ...others] = await readMails(shop);
        assert.equal(others.length, 0);
        assert.deepEqual({ ...mail, name: undefined }, {
            name: undefined,
            from: 'Guichet demo <payments@example.test>',
            to: 'Alice <alice@example.test>',
            subject: 'Bezahlt: 12,34 €',
            date: 'Fri, 20 Nov 2026 14:35:55 +0000',
            messageId: '<PAY_1@example.test>',
            text,
        });
        const [file] = fs.readdirSync(path.join(shop.home, 'mail/new'));
        const raw = fs.readFileSync(path.join(shop.home, 'mail/new', file), 'utf8');
        assert.match(raw, /^Return-Path: <payments@example\.test>\nDelivered-To: alice@example\.test\nFrom: /);
    });

    test('the newest comes first, and 50 are shown', async () => {
        for (let i = 0; i < 51; i++)
            assert.equal(sendMail(lines('To: bob@example.test', `Subject: number ${i}`, '', 'x')), 0);
        const mails = await readMails(shop);
        assert.deepEqual(mails.map((mail) => mail.subject),
            Array.from({ length: 50 }, (_, i) => `number ${50 - i}`));
        const page = await sandbox.request('GET', '/mail/');
        assert.match(page.text, /The newest 50 of 52\./);
    });

    test('a mail can show itself as HTML, but run and load nothing', async () => {
        const html = `<h1 style="color:teal">Paid</h1><p>24.00 USD have arrived.</p>
            <script>document.title = parent.document.title = "run"</script>
            <img src="${shop.urls.sandbox}/control" onerror="document.title='run'">
            <form action="${shop.urls.sandbox}/control"><button>press</button></form>
            <a href="${shop.urls.sandbox}/control" target="_top">leave</a>"></iframe><b id=out>`;
        assert.equal(sendMail(alternative('With HTML', 'Paid', html)), 0);
        const [{ name }] = await mailsThat(shop, (mail) => mail.subject === 'With HTML');
        await browse(DESKTOP, async (page) => {
            await page.goto(`${shop.urls.sandbox}/mail/${encodeURIComponent(name)}`);
            const frame = page.frameLocator('iframe');
            await frame.getByRole('heading', { name: 'Paid' }).waitFor();
            await frame.getByRole('link', { name: 'leave' }).click();
            await frame.getByRole('heading', { name: 'Paid' }).waitFor();
            assert.equal(await page.title(), 'With HTML');
            assert.equal(await page.locator('#out').count(), 0);
            await page.getByText('Source').click();
            await sees(page, 'Message-ID: <PAY_1@example.test>');
            await shot(page, 'sandbox-mail');
            await assertNoSideScroll(page);
            await page.getByRole('link', { name: 'All mails' }).click();
            await shot(page, 'sandbox-mails');
        }, /Blocked script execution|policy violation: img-src|violates the following Content Security Policy|Unsafe attempt|sandboxed|control: csp$/);
        const visits = shop.logs('nginx-access').split('\n').filter((line) => /Chrome/.test(line));
        assert(visits.some((line) => line.includes('"path":"/mail/')));
        assert(!visits.some((line) => line.includes('"path":"/control"')));
    });

    test('bytes that are no mail are shown all the same', async () => {
        const raw = Buffer.concat([
            Buffer.from('Subject: =?x?Q?=00=ff?= odd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n'),
            Buffer.from([0, 255, 254, 27, 60, 62, 13, 10]),
        ]);
        assert.equal(sendMail(raw), 0);
        const [mail] = await mailsThat(shop, ({ subject }) => subject.endsWith(' odd'));
        assert.equal(mail.subject, '\ufffd\ufffd odd');
        assert.equal(mail.text, '\ufffd\ufffd\ufffd\x1b<>');
    });

    for (const [name, status] of [['', 200], ['none', 404], ['..%2fdemo.env', 404], ['%2e%2e', 303]])
        test(`/mail/${name}: ${status}`, async () => {
            // URL() would walk up by itself
            const origin = new URL(shop.urls.sandbox);
            const answer = await eventually(() => sandbox.raw(
                `GET /mail/${name} HTTP/1.1\r\nHost: localhost:${origin.port}\r\nConnection: close\r\n\r\n`));
            assert.equal(answer.status, status === 303 ? 200 : status, answer.text.slice(0, 200));
            assert.doesNotMatch(answer.text, /ALICE_KEY/);
        });

    test('a mail under way is taken when the catcher stops; started again, it goes on', async () => {
        const count = () => fs.readdirSync(path.join(shop.home, 'mail/new')).length;
        const before = count();
        const talk = await converse(['EHLO test', 'MAIL FROM:<a@example.test>',
            'RCPT TO:<b@example.test>', 'DATA']);
        const idle = await converse(['EHLO test']);
        const stopped = shop.stopPart('mail');
        await idle.ended;
        assert.match(await talk.say('Subject: under way\r\n\r\nx\r\n.'), /^250 /);
        await stopped;
        assert.equal(count(), before + 1);
        await shop.startPart('mail');
        assert.equal(sendMail(lines('Subject: after a restart', '', 'x')), 0);
        assert.equal(count(), before + 2);
        await shop.killPart('mail');
        assert.notEqual(sendMail(lines('Subject: nobody there', '', 'x')), 0);
        await shop.startPart('mail');
        assert.equal(sendMail(lines('Subject: after a crash', '', 'x')), 0);
    });

    test('only its owner may write to the socket', () => {
        assert.equal(fs.statSync(SOCKET).mode & 0o777, 0o600);
    });
});
