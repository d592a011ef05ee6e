// Stands between Guichet and Mangopay at the sandbox, and sees every call with its body. It passes all
// of them on, but for those that it was told to answer itself, or to make twice.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { BIN } from './instance.mjs';

// Hooks at once; not shop.ctl(), during which this process answers nobody.
export async function registerHooks(shop) {
    const { stdout } = await promisify(execFile)(path.join(BIN, 'guichetctl'),
        ['-c', shop.vars.CONF, 'provider', 'check', 'mangopay', '--json'], { env: shop.env });
    assert.equal(JSON.parse(stdout).wrong, JSON.parse(stdout).mended);
}

export async function makeMangopayProxy() {
    const calls = [], plans = [], open = new Set();
    let target, web;

    const server = net.createServer((socket) => {
        open.add(socket);
        socket.on('error', () => {}).on('close', () => open.delete(socket));
        if (web === undefined) socket.destroy(); // nobody is behind it yet
        else web.emit('connection', socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const send = ({ method, path: url, headers, body }) => new Promise((resolve, reject) => {
        const call = https.request({ ...target, method, path: url, headers, agent: false }, (answer) => {
            const chunks = [];
            answer.on('data', (chunk) => chunks.push(chunk)).on('error', reject);
            answer.on('end', () =>
                resolve({ status: answer.statusCode, headers: answer.rawHeaders, body: Buffer.concat(chunks) }));
        });
        call.on('error', reject);
        call.end(body);
    });

    async function serve(request, response) {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const call = { method: request.method, path: request.url, headers: request.headers, body: Buffer.concat(chunks) };
        try {
            call.json = JSON.parse(call.body);
        } catch {
            call.json = undefined;
        }
        calls.push(call);
        const at = plans.findIndex((plan) => plan.wants(call));
        const plan = at < 0 ? {} : plans[at];
        if (at >= 0 && --plan.left === 0) plans.splice(at, 1);
        if (plan.twice) await send(call);
        const { status, headers, body } = plan.answer ?? await send(call);
        response.writeHead(status, headers);
        response.end(body);
        call.status = status;
    }

    return {
        url: `https://localhost:${server.address().port}/mangopay`,
        calls,
        // What was called since, by this method, at paths that match.
        since: (mark, method, words) =>
            calls.slice(mark).filter((call) => call.method === method && words.test(call.path)),
        // The next calls that match are answered so: {status, headers (pairs in a row), body (object or
        // text)}, of those that fit `wants`; without status they go out twice, and the second answer counts.
        plan({ method = 'POST', path: words, wants = () => true, count = 1, status, headers = [], body = '' }) {
            const text = typeof body === 'string' ? body : JSON.stringify(body);
            plans.push({
                wants: (call) => call.method === method && words.test(call.path) && wants(call),
                left: count,
                twice: status === undefined,
                answer: status && { status, headers: ['Content-Type', 'application/json', ...headers], body: text },
            });
        },
        // What was planned and has not happened will not happen any more.
        forget: () => plans.splice(0).map(({ answer }) => `an answer ${answer?.status}`),
        attach(shop) {
            const tls = (name) => fs.readFileSync(path.join(shop.home, 'tls', name));
            target = { host: '127.0.0.1', port: new URL(shop.urls.sandbox).port, servername: 'localhost', ca: shop.ca };
            web = https.createServer({ key: tls('server.key'), cert: tls('server.pem') }, (request, response) => {
                serve(request, response).catch(() => response.destroy());
            });
            web.on('tlsClientError', () => {});
            web.keepAliveTimeout = 0; // Guichet ends its connections itself
        },
        end() {
            for (const socket of open) socket.destroy();
            server.close();
        },
    };
}
