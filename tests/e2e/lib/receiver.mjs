// Endpoints of the marketplace's own, played here: real HTTP servers that are told of payments and
// prove every delivery with the package `standardwebhooks`.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { Webhook } from 'standardwebhooks';
import { eventually } from './client.mjs';

export const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;

// A server at http://localhost:port. `answer` says what the next deliveries get: a status, or a
// function (delivery, response) that answers itself; null ends the connection. `secrets` prove
// deliveries: each counts as proved by all of those that verify it.
export async function startReceiver(...secrets) {
    const receiver = { deliveries: [], answer: 204, secrets };
    const server = http.createServer(async (request, response) => {
        const chunks = [];
        for await (const chunk of request) chunks.push(chunk);
        const body = Buffer.concat(chunks).toString('utf8');
        const proved = receiver.secrets.filter((secret) => {
            try {
                return new Webhook(secret).verify(body, request.headers) !== null;
            } catch {
                return false;
            }
        });
        const { answer } = receiver;
        const delivery = {
            id: request.headers['webhook-id'],
            time: Number(request.headers['webhook-timestamp']),
            signatures: request.headers['webhook-signature'].split(' ').length,
            at: Date.now(),
            headers: request.headers,
            method: request.method,
            url: request.url,
            body,
            event: JSON.parse(body),
            proved,
            status: typeof answer === 'number' ? answer : 0,
        };
        receiver.deliveries.push(delivery);
        if (answer === null) request.socket.destroy();
        else if (typeof answer === 'number') response.writeHead(answer).end();
        else answer(delivery, response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.unref();
    receiver.url = `http://localhost:${server.address().port}/payments?from=guichet`;
    receiver.of = (id) => receiver.deliveries.filter(({ event }) => event.data.id === id);
    // Waits until `count` deliveries about the payment have come, and returns them.
    receiver.told = (id, count = 1, ms = 10_000) =>
        eventually(() => {
            const found = receiver.of(id);
            if (found.length >= count) return found;
            throw new Error(`${found.length} of ${count} deliveries about ${id}`);
        }, ms);
    receiver.end = () => {
        server.closeAllConnections();
        server.close();
    };
    return receiver;
}

export function writeSecret(folder, name, secret) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, `${secret}\n`, { mode: 0o600 });
    return file;
}

// Makes what waits for receivers due now, leases and rests of the dead included.
export async function hurryEvents(shop) {
    await shop.rows("UPDATE deliveries SET due_at = UTC_TIMESTAMP(3) WHERE state = 'waiting' AND receiver <> 'mail'");
}
