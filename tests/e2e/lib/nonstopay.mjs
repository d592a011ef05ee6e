// NonStopPay at the sandbox: its control desk, its API called by hand, and callbacks made by hand.
import { createHmac } from 'node:crypto';
import { ACCEPTED_AT, eventually } from './client.mjs';

export const idOf = (url) => new URL(url).searchParams.get('token').split('-')[0];

// Everything that a card payment has to say.
export const CUSTOMER = {
    email: 'payer@example.com', name: 'Jane Doe', phone: '020 7946 0018',
    date_of_birth: '1990-12-31', ip: '203.0.113.9',
};
export const BILLING = {
    address1: '1000 Lombard St', city: 'San Francisco', state: 'CA', postcode: '90210', country: 'US',
};
export const card = (number = '4242424242424242') =>
    ({ number, expiry: '12/2040', cvc: '123', holder: 'John Smith' });

export function makeNonstopay(shop) {
    const { client, sandbox } = shop;
    const key = shop.secret('nonstopay');
    const provider = 'nonstopay';
    const fault = (name, args = {}) => sandbox.fault(name, { provider, ...args });
    const act = (action, args) => sandbox.act(action, { provider, ...args });
    const webhook = (args) => sandbox.webhook({ provider, ...args });

    // The payment's invoices, calls and callbacks.
    const journal = (order_id) => sandbox.journal({ order_id });
    const callbacks = async (order_id) => (await journal(order_id)).webhooks;

    // A call of the API: (method, path, {body, form, key}).
    const api = (method, path, { key: other = key, ...options } = {}) =>
        sandbox.request(method, `/nonstopay${path}`,
            { ...options, headers: other === null ? {} : { 'API-KEY': other } });
    const invoice = (changes = {}, options = {}) =>
        api('POST', '/api/btn-create-invoice/get/', {
            body: { email: 'payer@example.com', amount: '15.04', devise: 'USD', ...changes },
            ...options,
        });
    const infos = (id) => api('GET', `/api/client-invoice-info/get/?id=${id}`);

    const sign = (body, secret = key) => createHmac('sha256', secret).update(body).digest('hex');
    const notify = (body, headers = {}) =>
        client.request('POST', '/webhook/nonstopay', {
            body,
            headers: Object.fromEntries(Object.entries({ 'Content-Type': 'application/json',
                'X-Signature': sign(body), ...headers }).filter(([, value]) => value !== undefined)),
        });

    // The body of a callback about a payment of ours, nonce included, as the provider writes it.
    async function callback(id, changes = {}) {
        const { data } = (await infos(id)).json;
        return JSON.stringify({ status: data.status, devise: data.devise, amount: data.amount,
            id: Number(id), description: 'by hand', callbackJson: JSON.stringify(data.callbackJson),
            ...changes });
    }

    const deposit = async (user, value, extra = {}, options = {}) => {
        const body = { type: 'balance', value, tos_timestamp: ACCEPTED_AT, ...extra };
        const answer = await client.request('POST', '/payment/nonstopay',
            { body, token: user.jwt, ...options });
        answer.id = answer.headers.location?.match(/^\/payments\/(PAY_\w+)$/)?.[1];
        answer.url = answer.json?.content?.url;
        if (answer.url) answer.invoice = idOf(answer.url);
        return answer;
    };

    const inbox = (id) =>
        shop.rows('SELECT state, copies, tries, note FROM inbox WHERE provider = ? AND reference = ?'
            + ' ORDER BY inbox_id', [provider, id]);
    const settled = (id) =>
        eventually(async () => {
            const rows = await inbox(id);
            return rows.length > 0 && rows.every((row) => row.state !== 'unmatched') && rows;
        });
    return { fault, act, webhook, journal, callbacks, api, invoice, infos, sign, notify, callback,
        deposit, inbox, settled };
}
