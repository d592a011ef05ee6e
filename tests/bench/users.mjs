// Who pays and who sells in the benchmark. Every contender has the same.
import { createHmac } from 'node:crypto';

export const COUNT = 1000;
export const FIRST_BUYER = 76561198000100000n;
export const FIRST_SELLER = 76561198000200000n;
export const OPENING = 1_000_000_000; // on each balance at the start of each run
export const AMOUNT = 2500;
export const PRICE = 1000;
export const FIRST_ASSET = 100_000_000;

const base64url = (object) => Buffer.from(JSON.stringify(object)).toString('base64url');

// A token for every buyer, as POST /user/login would make it.
export function makeTokens(key) {
    const now = Math.floor(Date.now() / 1000);
    const head = base64url({ alg: 'HS256', typ: 'JWT' });
    return Array.from({ length: COUNT }, (_, i) => {
        const claims = base64url({ iss: 'API', sub: String(FIRST_BUYER + BigInt(i)), iat: now, exp: now + 86_400,
            jti: `bench${i}`, ip: '127.0.0.1', API: true });
        const signature = createHmac('sha256', key).update(`${head}.${claims}`).digest('base64url');
        return `${head}.${claims}.${signature}`;
    });
}

// The notices of so many payments, as lines for wrk/webhook.lua. orderOf(i): the order's id.
export function makeNotices(key, count, orderOf) {
    const lines = [];
    for (let i = 1; i <= count; i++) {
        const order = orderOf(i);
        const body = JSON.stringify({ amount: AMOUNT, currency: 'USD', type: 'succeeded', provider: 'stripe', order_id: order,
            payment_method: 'card', items: [{ name: 'Balance deposit', quantity: 1, price: AMOUNT }],
            metadata: { integration_session_id: `cs_${order}`, payment_id: order, environment: 'demo' } });
        lines.push(`${createHmac('sha256', key).update(body).digest('hex')} ${body}`);
    }
    return lines;
}
