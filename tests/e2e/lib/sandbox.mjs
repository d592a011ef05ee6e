// The sandbox providers' control desk, and notices signed by hand.
import { createHmac } from 'node:crypto';

// makeSandbox(client, guichet, webhookToken): clients of the sandbox and of Guichet.
export function makeSandbox(client, guichet, webhookToken) {
    async function control(body) {
        const answer = await client.request('POST', '/control', {
            body: { provider: 'payviox', ...body },
        });
        if (answer.status !== 200) throw new Error(`control: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    // Arms a fault for the next `count` (1) calls or notices. GET /control tells the names and
    // their numbers. Narrow it with order_id (one payment) or call: 'create' | 'read'.
    const fault = (name, args = {}) => control({ fault: name, ...args });

    // Does something to one session, named by session_id or order_id: pay {card, challenge},
    // approve, expire, refund, pending_review, decline. The provider sends its webhook after it.
    const act = (action, args) => control({ action, ...args });

    // Sends a made-up webhook now and returns the statuses answered: {session_id or order_id,
    // type, amount, currency, fees, amount_remaining, copies, secret, signature, body}. What is
    // left out is the truth about the session.
    const webhook = async (args) => (await control({ action: 'webhook', ...args })).status;

    // Everything that happened: {armed, totals, sessions, calls, webhooks}. The filter is
    // {session, order_id, since}.
    async function journal(filter = {}) {
        const query = new URLSearchParams(filter);
        const answer = await client.request('GET', `/control?${query}`);
        if (answer.status !== 200) throw new Error(`journal: ${answer.status} ${answer.text}`);
        return answer.json;
    }

    // How many creates Payviox has been sent, among the calls of the journal: the jobs' questions are not counted.
    const creates = async (filter) =>
        (await journal(filter)).calls.filter((call) => call.path === '/session').length;

    // All sessions, however many: the journal shows some thousands at a time.
    async function sessions() {
        const all = [];
        for (let since = 1; since !== null; ) {
            const page = await journal({ since });
            all.push(...page.sessions);
            since = page.next;
        }
        return all;
    }

    // Forgets armed faults and the journal's calls and webhooks; sessions stay.
    const reset = async () => {
        const answer = await client.request('POST', '/control', { body: { action: 'reset' } });
        if (answer.status !== 200) throw new Error(`reset: ${answer.status} ${answer.text}`);
    };

    const sign = (body, token = webhookToken) =>
        createHmac('sha256', token).update(body).digest('hex');

    // Posts these very bytes to Guichet as a notice, with their right signature unless told else.
    const notify = (body, headers = {}) =>
        guichet.request('POST', '/webhook/payviox', {
            body,
            headers: { 'Content-Type': 'application/json', Signature: sign(body), ...headers },
        });

    // The body of a notice as the provider writes it; `changes` override members.
    const notice = (session_id, order_id, amount, type = 'succeeded', changes = {}) => ({
        amount,
        currency: 'USD',
        fees: 0,
        metadata: { integration_session_id: session_id },
        type,
        provider: 'card',
        order_id,
        items: [{ name: 'Balance deposit', quantity: 1, price: amount }],
        ...changes,
    });

    const { request, raw } = client;
    return { control, fault, act, webhook, journal, creates, sessions, reset, sign, notify, notice, request, raw };
}

// The session's id is the last part of the hosted page's address.
export const sessionOf = (url) => new URL(url).pathname.split('/').pop();
