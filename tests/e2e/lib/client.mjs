// An HTTPS client for tests: answers are values, whatever their status. Only a broken connection
// throws. Every call has a connection of its own, so that restarts of the server leave no trace,
// unless an agent keeps them.
import https from 'node:https';
import tls from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { misfitOf } from './openapi.mjs';

export { sleep };

export const CARDS = {
    pays: '4242 4242 4242 4242',
    declined: '4000 0000 0000 0002',
    noFunds: '4000 0000 0000 9995',
    challenge: '4000 0027 6000 3184',
};

// What an answer looks like, from request() and raw() alike: `raw` has all headers as pairs in
// the order received, `headers` the last value per lower-case name, `all(name)` every value.
function makeAnswer(status, pairs, bytes) {
    const text = bytes.toString('utf8');
    let json;
    try {
        json = JSON.parse(text);
    } catch {
        json = undefined;
    }
    const raw = pairs.map(([name, value]) => [name.toLowerCase(), value]);
    const all = (name) => raw.filter((pair) => pair[0] === name.toLowerCase()).map((pair) =>
        pair[1]);
    return { status, raw, headers: Object.fromEntries(raw), all, bytes, text, json };
}

// Repeats fn until it returns something true, and returns that. Errors thrown meanwhile count as
// not yet, but for those marked `final`; the last one is told when the time is over.
export async function eventually(fn, ms = 10_000, every = 50) {
    const end = Date.now() + ms;
    let last;
    for (;;) {
        try {
            last = await fn();
            if (last) return last;
        } catch (error) {
            if (error.final) throw error;
            last = error;
        }
        if (Date.now() > end)
            throw new Error(`not within ${ms} ms; last: ${last?.message ?? JSON.stringify(last)}`);
        await sleep(every);
    }
}

export const nowSeconds = () => Math.floor(Date.now() / 1000);
// When the terms were accepted, where a test says nothing: one moment for the whole file, for a request
// that is repeated must have the same bytes.
export const ACCEPTED_AT = nowSeconds();

// makeClient(base, ca): base is https://localhost:PORT. Options: onToken (hears of every token handed
// out), described (true: answers of this base must be as openapi.json has them; what is not throws,
// and is kept in `misfits` for those who catch it), agent (an https.Agent),
// again (true: a call that met the end of a kept connection is sent again, twice at the most).
export function makeClient(base, ca, options = {}) {
    const { onToken = () => {}, described = false, agent = false, again = false } = options;
    const origin = new URL(base);
    const misfits = new Set();
    const mustFit = (url, options) => described && !options.undescribed && url.host === origin.host;

    // Options: headers (object), body (string or Buffer as it is, another object as JSON),
    // form (object), token (a JWT), key (an Idempotency-Key), signal (an AbortSignal), from (the
    // address to call from: any of 127.0.0.0/8), undescribed (true: openapi.json need not know the
    // answer).
    // `path` may also be a whole URL of the same authority.
    async function request(method, path, options = {}) {
        for (let tries = 1; ; tries++) {
            try {
                return await send(method, path, options);
            } catch (error) {
                if (!again || !error.reused || tries === 3) throw error;
            }
        }
    }

    function send(method, path, options) {
        const url = new URL(path, origin);
        const headers = { ...options.headers };
        let body = options.body;
        if (options.form !== undefined) {
            body = new URLSearchParams(options.form).toString();
            headers['Content-Type'] ??= 'application/x-www-form-urlencoded';
        } else if (body !== undefined && typeof body === 'object' && !Buffer.isBuffer(body)) {
            body = JSON.stringify(body);
            headers['Content-Type'] ??= 'application/json';
        }
        if (options.token !== undefined) headers.Authorization = `Bearer ${options.token}`;
        if (options.key !== undefined) headers['Idempotency-Key'] = options.key;
        headers.Host ??= url.host;
        if (body !== undefined) headers['Content-Length'] ??= Buffer.byteLength(body);
        return new Promise((resolve, reject) => {
            const call = https.request(
                {
                    method,
                    host: '127.0.0.1', // no name needs to be resolvable
                    servername: 'localhost',
                    port: url.port,
                    path: url.pathname + url.search,
                    headers,
                    ca,
                    agent,
                    localAddress: options.from,
                    signal: options.signal,
                },
                (response) => {
                    const chunks = [];
                    response.on('data', (chunk) => chunks.push(chunk));
                    response.on('error', reject);
                    response.on('end', () => {
                        const flat = response.rawHeaders;
                        const pairs = [];
                        for (let i = 0; i < flat.length; i += 2) pairs.push([flat[i], flat[i + 1]]);
                        const answer = makeAnswer(response.statusCode, pairs, Buffer.concat(chunks));
                        const misfit = mustFit(url, options) ? misfitOf(method, url.pathname, answer) : '';
                        if (misfit === '') return resolve(answer);
                        misfits.add(misfit);
                        return reject(Object.assign(new Error(misfit), { final: true }));
                    });
                },
            );
            // After a refusal the server may close before it has read all of the body; the answer
            // is there nevertheless, and its end has resolved the promise by then.
            call.on('error', (error) => reject(Object.assign(error, { reused: call.reusedSocket })));
            call.end(body);
        });
    }

    // Sends exactly these bytes over TLS and returns the first answer, or null when the connection
    // ended, or `ms` went by, or the promise `until` was kept, without one. `parts` is a string, a Buffer or
    // an array of them; a number among them is a pause in milliseconds. onConnect is called when TLS stands.
    function raw(parts, { ms = 10_000, until, onConnect } = {}) {
        return new Promise((resolve, reject) => {
            const chunks = [];
            const socket = tls.connect({
                host: '127.0.0.1',
                port: origin.port,
                servername: 'localhost',
                ca,
                ALPNProtocols: ['http/1.1'],
            });
            const finish = () => {
                clearTimeout(timer);
                socket.destroy();
                resolve(parseAnswer(Buffer.concat(chunks)));
            };
            const timer = setTimeout(finish, ms);
            until?.then(finish);
            socket.on('data', (chunk) => {
                chunks.push(chunk);
                const answer = parseAnswer(Buffer.concat(chunks));
                const length = answer?.headers['content-length'];
                if (length !== undefined && answer.bytes.length >= Number(length)) finish();
            });
            socket.on('end', finish);
            socket.on('error', (error) => {
                if (socket.authorized) return finish();
                clearTimeout(timer);
                return reject(error);
            });
            socket.on('secureConnect', async () => {
                onConnect?.();
                for (const part of [parts].flat()) {
                    if (socket.destroyed) return;
                    if (typeof part === 'number') await sleep(part);
                    else if (socket.writable) socket.write(part);
                }
            });
        });
    }

    async function login(key) {
        const answer = await request('POST', '/user/login', { body: { apiKey: key } });
        if (answer.status !== 200) throw new Error(`login: ${answer.status} ${answer.text}`);
        onToken(answer.json.content.jwt);
        return answer.json.content.jwt;
    }

    // POST /payment/payviox. `extra` is merged into the body (undefined removes a field);
    // `options` goes to request(). The answer has `id` and `url` besides.
    async function deposit(user, value, extra = {}, options = {}) {
        const body = { type: 'balance', value, tos_timestamp: ACCEPTED_AT, ...extra };
        return create('payviox', body, { token: user.jwt, ...options });
    }

    // The same for items, an array of asset ids or the text itself; options.provider is whom to pay.
    async function buy(user, items, extra = {}, { provider = 'payviox', ...options } = {}) {
        const text = Array.isArray(items) ? items.join(',') : items;
        const body = { type: 'items', items: text, tos_timestamp: ACCEPTED_AT, ...extra };
        return create(provider, body, { token: user.jwt, ...options });
    }

    async function create(provider, body, options) {
        const answer = await request('POST', `/payment/${provider}`, { body, ...options });
        answer.id = answer.headers.location?.match(/^\/payments\/(PAY_\w+)$/)?.[1];
        answer.url = answer.json?.content?.url;
        return answer;
    }

    // POST /paiement/payviox, or another `provider` of the options. The answer has `id` and `url`.
    async function paiement(user, body, { provider = 'payviox', ...options } = {}) {
        const answer = await request('POST', `/paiement/${provider}`, { body, token: user.jwt, ...options });
        answer.id = answer.headers.location?.match(/^\/payments\/(PAY_\w+)$/)?.[1];
        answer.url = answer.json?.content?.paymentUrl;
        return answer;
    }

    // Posts the hosted page's own form, as a browser without JavaScript does.
    const post = (url, form) => request('POST', url, { form });
    const pay = (url, card = CARDS.pays) =>
        post(url, { card_number: card, expiry: '12/40', cvc: '123' });

    const content = (answer) => {
        if (answer.status !== 200) throw new Error(`${answer.status} ${answer.text}`);
        return answer.json.content;
    };
    const payment = async (user, id) =>
        content(await request('GET', `/payments/${id}`, { token: user.jwt }));
    const balance = async (user) =>
        content(await request('GET', '/user/balance', { token: user.jwt })).balance;

    // Waits until the payment has the status (or one of the list), and returns the payment.
    const paymentIs = (user, id, status, ms = 10_000) =>
        eventually(async () => {
            const found = await payment(user, id);
            if ([status].flat().includes(found.status)) return found;
            throw new Error(`${id} is ${found.status}, not ${status}`);
        }, ms);

    return {
        request, raw, login, deposit, buy, paiement, post, pay, payment, balance, paymentIs, misfits,
    };
}

// The first answer among the bytes, interim ones (100 Continue) left out.
function parseAnswer(bytes) {
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) return null;
    const [first, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
    const status = Number(first.split(' ')[1]);
    if (status === 100) return parseAnswer(bytes.subarray(end + 4));
    const pairs = lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon), line.slice(colon + 1).trim()];
    });
    return makeAnswer(status, pairs, bytes.subarray(end + 4));
}
