// The jobs of the benchmark as a careful Node developer would write them: a cluster of two, a pool of
// mysql2 with prepared statements, undici with kept connections.
import cluster from 'node:cluster';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import mysql from 'mysql2/promise';
import { Pool } from 'undici';

const { BENCH_SOCKET, BENCH_DATABASE, BENCH_USER, BENCH_PASSWORD, BENCH_TOKEN_KEY, BENCH_WEBHOOK_KEY, BENCH_PROVIDER,
    BENCH_SECRET, BENCH_CA, BENCH_PORT } = process.env;
const WORKERS = 2;

class Refusal extends Error {
    constructor(status, text) {
        super(text);
        this.status = status;
    }
}

if (cluster.isPrimary) {
    for (let i = 0; i < WORKERS; i++) cluster.fork();
    cluster.on('exit', () => process.exit(1));
    process.on('SIGTERM', () => {
        for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
        process.exit(0);
    });
} else {
    const db = mysql.createPool({
        socketPath: BENCH_SOCKET,
        user: BENCH_USER,
        password: BENCH_PASSWORD,
        database: BENCH_DATABASE,
        connectionLimit: 16,
        supportBigNumbers: true,
    });
    const provider = new Pool(BENCH_PROVIDER, { connect: { ca: fs.readFileSync(BENCH_CA) } });
    http.createServer(makeHandler(db, provider)).listen(Number(BENCH_PORT), '127.0.0.1', 4096);
}

function makeHandler(db, provider) {
    const run = async (connection, sql, values) => (await connection.execute(sql, values))[0];

    async function transaction(unit) {
        const connection = await db.getConnection();
        try {
            for (let tries = 1; ; tries++) {
                await connection.beginTransaction();
                try {
                    const result = await unit(connection);
                    await connection.commit();
                    return result;
                } catch (error) {
                    await connection.rollback();
                    if (![1020, 1205, 1213].includes(error.errno) || tries === 5) throw error;
                }
            }
        } finally {
            connection.release();
        }
    }

    // --- who calls ---

    async function user(request) {
        const [head, claims, signature] = (request.headers.authorization ?? '').replace(/^Bearer /i, '').split('.');
        if (signature === undefined) throw new Refusal(401, 'Unauthorized');
        const right = createHmac('sha256', BENCH_TOKEN_KEY).update(`${head}.${claims}`).digest();
        const given = Buffer.from(signature, 'base64url');
        const { alg } = JSON.parse(Buffer.from(head, 'base64url'));
        if (alg !== 'HS256' || given.length !== right.length || !timingSafeEqual(given, right))
            throw new Refusal(401, 'Unauthorized');
        const token = JSON.parse(Buffer.from(claims, 'base64url'));
        if (token.iss !== 'API' || token.exp <= Date.now() / 1000 || token.ip !== request.headers['x-real-ip'])
            throw new Refusal(401, 'Unauthorized');
        const [found] = await run(db, 'SELECT user_id, banned FROM users WHERE user_id = ?', [token.sub]);
        if (found === undefined || found.banned) throw new Refusal(401, 'Invalid user');
        return token.sub;
    }

    function fields(text) {
        const body = JSON.parse(text);
        const tos = body.tos_timestamp;
        if (!Number.isInteger(tos) || tos > Date.now() / 1000 || tos <= 0) throw new Refusal(400, 'Terms of service');
        return body;
    }

    const answer = (content) => JSON.stringify({ err: false, success: true, content });

    // --- the jobs ---

    async function askProvider(id, payer, value) {
        const { statusCode, body } = await provider.request({
            method: 'POST',
            path: '/session',
            headers: { Authorization: `Bearer ${BENCH_SECRET}`, 'Content-Type': 'application/json' },
            body: JSON.stringify({
                amount: value,
                currency: 'USD',
                customer: payer,
                order_id: `PAY_${id}`,
                items: [{ name: 'Balance deposit', quantity: 1, price: value }],
                metadata: { payment_id: `PAY_${id}`, user_id: payer },
            }),
        });
        const session = await body.json();
        if (statusCode !== 201 || !session.session_id) throw new Refusal(504, 'Payment outcome unknown');
        return session;
    }

    async function deposit(request, text) {
        const payer = await user(request);
        const { value } = fields(text);
        if (!Number.isInteger(value) || value < 100 || value > 2500000)
            throw new Refusal(400, 'Invalid request parameters');
        const key = request.headers['idempotency-key'] ?? null;
        if (key !== null) {
            const [known] = await run(db, 'SELECT url FROM payments WHERE user_id = ? AND idempotency_key = ?',
                [payer, key]);
            if (known) return answer({ url: known.url });
        }
        const { insertId: id } = await run(db,
            "INSERT INTO payments (user_id, type, amount, idempotency_key) VALUES (?, 'balance', ?, ?)", [payer, value, key]);
        const session = await askProvider(id, payer, value);
        await run(db, "UPDATE payments SET status = 'pending', provider_reference = ?, url = ? WHERE payment_id = ?",
            [session.session_id, session.redirect_url, id]);
        return answer({ url: session.redirect_url });
    }

    async function purchase(request, text) {
        const payer = await user(request);
        const assets = fields(text).items.split(',').map(Number).sort((a, b) => a - b);
        const marks = assets.map(() => '?').join(', ');
        return transaction(async (connection) => {
            const items = await run(connection,
                `SELECT asset_id, CAST(owner_id AS CHAR) AS owner_id, on_sale, price FROM items
                    WHERE asset_id IN (${marks}) ORDER BY asset_id FOR UPDATE`, assets);
            if (items.length !== assets.length || items.some((item) => !item.on_sale || item.owner_id === payer))
                throw new Refusal(400, 'No items found');
            const total = items.reduce((sum, item) => sum + item.price, 0);
            const { insertId: id } = await run(connection,
                "INSERT INTO payments (user_id, type, amount, status) VALUES (?, 'items', ?, 'completed')", [payer, total]);
            const gains = new Map([[payer, -total], ['1', 0]]);
            const add = (account, amount) => gains.set(account, (gains.get(account) ?? 0) + amount);
            for (const { asset_id, owner_id, price } of items) {
                const fee = Math.floor((price * 5) / 100);
                add('1', fee);
                add(owner_id, price - fee);
                await run(connection, 'INSERT INTO payment_items (payment_id, asset_id, price) VALUES (?, ?, ?)',
                    [id, asset_id, price]);
            }
            const sorted = [...gains].sort(([a], [b]) => (a < b ? -1 : 1));
            for (const [account, amount] of sorted)
                if (account !== '1')
                    await run(connection, 'UPDATE balances SET balance = balance + ? WHERE user_id = ?', [amount, account]);
            const [{ balance }] = await run(connection, 'SELECT balance FROM balances WHERE user_id = ?', [payer]);
            if (balance < 0) throw new Refusal(402, 'Insufficient balance');
            await run(connection,
                `INSERT INTO ledger (payment_id, account, amount) VALUES ${sorted.map(() => '(?, ?, ?)').join(', ')}`,
                sorted.flatMap(([account, amount]) => [id, account, amount]));
            await run(connection, `UPDATE items SET owner_id = ?, on_sale = 0 WHERE asset_id IN (${marks})`,
                [payer, ...assets]);
            return answer({ message: 'Payment processed successfully' });
        });
    }

    async function notice(request, text) {
        const right = createHmac('sha256', BENCH_WEBHOOK_KEY).update(text).digest();
        const given = Buffer.from(request.headers.signature ?? '', 'hex');
        if (given.length !== right.length || !timingSafeEqual(given, right)) throw new Refusal(401, 'Wrong signature');
        const { order_id, amount, currency, type } = JSON.parse(text);
        const id = Number(order_id.slice(4));
        return transaction(async (connection) => {
            const put = await run(connection, 'INSERT IGNORE INTO notices (body_hash, body) VALUES (?, ?)',
                [createHash('sha256').update(text).digest(), text]);
            if (put.affectedRows === 0) return '{}';
            const [payment] = await run(connection,
                'SELECT CAST(user_id AS CHAR) AS user_id, amount, status FROM payments WHERE payment_id = ? FOR UPDATE', [id]);
            if (payment?.amount !== amount || currency !== 'USD') throw new Refusal(400, 'No such payment');
            if (type === 'succeeded' && payment.status === 'pending') {
                await run(connection, "UPDATE payments SET status = 'completed' WHERE payment_id = ?", [id]);
                await run(connection, 'INSERT INTO ledger (payment_id, account, amount) VALUES (?, ?, ?), (?, 0, ?)',
                    [id, payment.user_id, amount, id, -amount]);
                await run(connection, 'UPDATE balances SET balance = balance + ? WHERE user_id = ?',
                    [amount, payment.user_id]);
            }
            return '{}';
        });
    }

    async function balance(request) {
        const [found] = await run(db, 'SELECT balance FROM balances WHERE user_id = ?', [await user(request)]);
        return answer({ balance: found.balance });
    }

    const routes = {
        'POST /payment/payviox': deposit,
        'POST /payment/mannco': purchase,
        'POST /webhook/payviox': notice,
        'GET /user/balance': balance,
    };

    return (request, response) => {
        const chunks = [];
        request.on('data', (chunk) => chunks.push(chunk));
        request.on('end', async () => {
            let status = 200;
            let text;
            try {
                const job = routes[`${request.method} ${request.url}`];
                if (job === undefined) throw new Refusal(404, 'Not found');
                text = await job(request, Buffer.concat(chunks).toString());
            } catch (error) {
                if (!(error instanceof Refusal)) console.error(error);
                status = error.status ?? 500;
                text = JSON.stringify({ err: true, success: false, content: error.message });
            }
            response.writeHead(status, {
                'Content-Type': 'application/json; charset=utf-8',
                'Content-Length': Buffer.byteLength(text),
            });
            response.end(text);
        });
    };
}
