// The clients and the payers: they do what the plan says, and remember every answer that they got.
// Whatever happens to them is kept in `seen`; nothing here decides whether it was right, but for
// answers that can never be.
import { eventually, sleep } from '../e2e/lib/client.mjs';
import { letExpire } from '../e2e/lib/market.mjs';
import { sessionOf } from '../e2e/lib/sandbox.mjs';
import { stepOf } from './plan.mjs';

// What a request may be answered while everything dies. Any other status is a problem.
const POSSIBLE = {
    create: [200, 400, 402, 409, 502, 503, 504],
    look: [200, 502, 503, 504],
    return: [303, 502, 503, 504],
    refund: [200, 400, 402, 409, 502, 503, 504],
};
const UNDECIDED = [409, 502, 503, 504]; // sent again under the same key
const PAYERS_AT_ONCE = 200;
const PAID = ['completed', 'refunded', 'partially_refunded', 'disputed'];
const CARDS = { pays: '4242424242424242', declined: '4000000000000002', challenge: '4000002760003184' };

export const isPaid = (status) => PAID.includes(status);

export const newSeen = () => ({
    requests: 0,
    broken: 0, // no answer at all
    statuses: {}, // {kind: {status: count}}
    keys: new Map(), // key → {user, request, text, id, ids}
    plain: [], // {user, id, url} of acknowledged creates without a key
    completed: new Map(), // id → user: a client was told so
    refunds: new Map(), // key → {id, path, body, text}
    refundKeys: new Map(), // id → the keys under which refunds of it were asked for
    payers: new Set(), // ids that somebody pays
    lies: new Map(), // reference → id of payments of which a notice was made to lie
    unsure: new Set(), // ids that were given back by us and by the provider
    withdrawn: new Set(), // ids whose items were taken away while they were held
    faults: {}, // {fault: count}
    acts: {}, // what payers did
    problems: [],
});

const count = (table, name, more = 1) => (table[name] = (table[name] ?? 0) + more);

export function makeLoad(shop, { seed, users, assets, seen, operator }) {
    const { client, sandbox } = shop;
    const atWork = new Set(); // payers
    let over = false;

    function problem(text) {
        if (seen.problems.length < 50) seen.problems.push(text);
    }

    // One request to Guichet; null when the connection broke.
    async function ask(kind, method, path, options) {
        seen.requests++;
        try {
            const answer = await client.request(method, path, options);
            count((seen.statuses[kind] ??= {}), answer.status);
            if (!POSSIBLE[kind].includes(answer.status))
                problem(`${method} ${path} (${options?.key ?? 'no key'}): ${answer.status} ${answer.text.slice(0, 200)}`);
            return answer;
        } catch (error) {
            if (error.final) problem(error.message.slice(0, 400));
            seen.broken++;
            return null;
        }
    }

    // --- creating ---

    function bodyOf(step) {
        if (step.items === undefined) return step.body;
        return { ...step.body, items: step.items.map((number) => assets[number]).join(',') };
    }

    function remember(step, user, answer) {
        const id = answer.headers.location?.match(/^\/payments\/(PAY_\w+)$/)?.[1];
        const content = answer.json?.content;
        const url = content?.url ?? content?.paymentUrl;
        if (id === undefined) return problem(`${step.key}: 200 without a payment: ${answer.text}`);
        if (url === undefined) seen.completed.set(id, user);
        if (step.key === undefined) seen.plain.push({ user, id, url });
        else {
            const kept = seen.keys.get(step.key);
            if (kept === undefined)
                seen.keys.set(step.key, { user, path: step.path, body: bodyOf(step), text: answer.text, id });
            else if (kept.text !== answer.text || kept.id !== id)
                problem(`${step.key}: first ${kept.id} ${kept.text}, then ${id} ${answer.text}`);
        }
        if (!seen.payers.has(id)) {
            seen.payers.add(id);
            work(payer(step.payer, { user, id, url }));
        }
        return undefined;
    }

    async function send(step, user) {
        const answer = await ask('create', 'POST', step.path, { body: bodyOf(step), token: user.jwt, key: step.key });
        if (answer?.status === 200) remember(step, user, answer);
        return answer;
    }

    async function create(step, user) {
        const both = step.key !== undefined && step.twin ? [send(step, user), send(step, user)] : [send(step, user)];
        let [answer] = await Promise.all(both);
        for (let tries = 0; step.key !== undefined && tries < step.retries && !over; tries++) {
            if (answer !== null && !UNDECIDED.includes(answer.status)) return;
            await sleep(step.patience);
            answer = await send(step, user);
        }
    }

    async function runClient(number) {
        const user = users[number % users.length];
        for (let i = 0; !over; i++) {
            const step = stepOf(seed, number, i);
            if (step.act === 'look') await ask('look', 'GET', step.path, { token: user.jwt });
            else await create(step, user);
            if (step.pause > 0) await sleep(step.pause);
            if (atWork.size > PAYERS_AT_ONCE) await Promise.race(atWork);
        }
    }

    // --- paying ---

    function work(promise) {
        const kept = promise
            .catch((error) => problem(`payer: ${error.message}`))
            .finally(() => atWork.delete(kept));
        atWork.add(kept);
    }

    // 409: somebody else was faster. Anything else that the sandbox refuses is a fault of the test.
    async function act(action, args) {
        try {
            await sandbox.act(action, args);
        } catch (error) {
            if (!error.message.startsWith('control: 409')) throw error;
        }
    }

    async function armNotice(notice, { id, reference }) {
        if (notice === null) return;
        const { fault, ...args } = notice;
        try {
            await sandbox.fault(fault, { order_id: reference, ...args });
            count(seen.faults, fault);
            if (fault.startsWith('wrong_')) seen.lies.set(reference, id);
        } catch (error) {
            if (!/Too many/.test(error.message)) throw error;
        }
    }

    const form = (url, fields) => sandbox.request('POST', url, { form: fields });
    const byCard = (url, card) => form(url, { card_number: CARDS[card], expiry: '12/40', cvc: '123' });

    const moves = {
        page: ({ url }) => byCard(url, 'pays'),
        control: ({ session }) => act('pay', { session_id: session }),
        async second_try({ url }) {
            await byCard(url, 'declined');
            await sleep(50);
            await byCard(url, 'pays');
        },
        async challenge({ url }) {
            await byCard(url, 'challenge');
            await form(url, { challenge: 'approve' });
        },
        async reviewed({ session }) {
            await act('pending_review', { session_id: session });
            await sleep(400);
            await act('approve', { session_id: session });
        },
        async turned_down({ session }) {
            await act('pending_review', { session_id: session });
            await sleep(400);
            await act('decline', { session_id: session });
        },
        async given_back({ session }) {
            await act('pay', { session_id: session });
            await sleep(400);
            await act('refund', { session_id: session });
        },
        async late({ id, session }) {
            await letExpire(shop, id).catch(() => {}); // no database, no time travel
            await sleep(300);
            await act('pay', { session_id: session });
        },
        declined: ({ url }) => byCard(url, 'declined'),
        cancelled: ({ url }) => form(url, { action: 'cancel' }),
        gone: async () => {},
    };
    const silent = ['declined', 'cancelled', 'gone']; // of these no notice tells

    // The provider knows an attempt by our reference; the first one has the payment's own name.
    const referenceOf = (session, id) =>
        shop.value(
            'SELECT a.reference FROM attempts a JOIN attempt_answers d USING (attempt_id) WHERE d.provider_reference = ?',
            [session],
        ).then((reference) => reference ?? id, () => id);

    const comeBack = ({ session, reference }) =>
        ask('return', 'GET', `/return/payviox?session_id=${session}&order_id=${reference}`);

    async function lookAfter({ user, id }) {
        const answer = await ask('look', 'GET', `/payments/${id}`, { token: user.jwt });
        if (answer?.status !== 200) return null;
        const { status } = answer.json.content;
        if (isPaid(status)) seen.completed.set(id, user);
        else if (seen.completed.has(id)) problem(`${id} was completed, and is ${status}`);
        return status;
    }

    async function payer(plan, payment) {
        if (payment.url !== undefined) {
            payment.session = sessionOf(payment.url);
            payment.reference = await referenceOf(payment.session, payment.id);
            count(seen.acts, plan.does);
            await sleep(plan.after);
            if (plan.returns === 'before') work(comeBack(payment));
            if (!silent.includes(plan.does)) await armNotice(plan.notice, payment);
            await moves[plan.does](payment);
            if (plan.returns === 'after') await comeBack(payment);
        }
        let status = null;
        for (let looks = 0; looks < plan.looks; looks++) {
            await sleep(100);
            status = await lookAfter(payment);
        }
        if (plan.refund !== null && isPaid(status)) await refund(plan, payment);
    }

    // --- giving back ---

    async function sendRefund(key, { user, id }, body) {
        const path = `/payments/${id}/refunds`;
        seen.refundKeys.set(id, (seen.refundKeys.get(id) ?? new Set()).add(key));
        const answer = await ask('refund', 'POST', path, { body, token: operator.jwt, key });
        if (answer?.status !== 200) return;
        seen.completed.set(id, user);
        const kept = seen.refunds.get(key);
        if (kept === undefined) seen.refunds.set(key, { id, path, body, text: answer.text });
        else if (kept.text !== answer.text) problem(`${key}: first ${kept.text}, then ${answer.text}`);
    }

    async function refund(plan, { user, id }) {
        const answer = await ask('look', 'GET', `/payments/${id}`, { token: user.jwt });
        if (answer?.status !== 200) return;
        const part = Math.max(1, Math.floor((answer.json.content.amount * plan.part) / 100));
        const bodies = {
            full: [{ reason: 'chaos' }],
            part: [{ amount: part, reason: 'chaos' }],
            parts: [{ amount: part }, { amount: part }],
            race: [{ amount: part }, { amount: part }, {}],
        }[plan.refund];
        count(seen.acts, `refund ${plan.refund}`);
        // the provider gives back too: how much in all is for a person to say
        if (plan.does === 'given_back') seen.unsure.add(id);
        const all = bodies.map((body, i) => () => sendRefund(`refund-${seed}-${id}-${i}`, { user, id }, body));
        if (plan.refund === 'race') await Promise.all([...all, all[0]].map((one) => one()));
        else for (const one of all) await one();
    }

    return {
        run: (clients) => Promise.all(Array.from({ length: clients }, (_, number) => runClient(number))),
        end: () => (over = true),
        // Everybody has gone home.
        idle: () => eventually(() => atWork.size === 0, 60_000),
        working: () => atWork.size,
        ask,
    };
}
