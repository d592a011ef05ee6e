// What goes wrong on purpose: proxies that cut connections at a chosen byte, processes that die, a
// small load, and a look at what is left.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { once } from 'node:events';
import tls from 'node:tls';
import { eventually, sleep } from './client.mjs';

export { assertBooks } from './books.mjs';

// --- time ---

// A check that a program took in the last ten seconds and has not finished: its lease (LEASE_S of
// flow/reconcile) still stands.
const UNDER_WAY = `due_at <=> asked_at + INTERVAL 60 SECOND AND asked_at > UTC_TIMESTAMP(3) - INTERVAL 10 SECOND`;

// Makes what waits due now: checks, of all payments or of one, and unmatched notices. `ended`: the
// calls whose outcome is open count as ended too, which is true once their callers have been
// answered or are dead. `again`: checks that are under way are left alone, or a second program would
// make them too.
export async function hurry(shop, { ended = false, id = '%', again = false } = {}) {
    if (ended)
        await shop.rows(
            `UPDATE attempts SET deadline_at = created_at
                WHERE deadline_at > UTC_TIMESTAMP(3) AND payment_id LIKE ?`,
            [id],
        );
    // what is due already keeps its place in the queue, or the last ones of many would never have a turn
    const waiting = `due_at > UTC_TIMESTAMP(3)${again ? ` AND NOT (${UNDER_WAY})` : ''}`;
    await shop.rows(`UPDATE payment_checks SET due_at = UTC_TIMESTAMP(3) WHERE payment_id LIKE ? AND ${waiting}`, [id]);
    await shop.rows("UPDATE inbox SET due_at = UTC_TIMESTAMP(3) WHERE state = 'unmatched'");
}

// Nobody looks at the payment, or at any, before it is hurried: the jobs do by themselves ten seconds after
// it was made, which a slow machine may need for a test. Done when no check is under way.
export const letRest = (shop, id = '%') =>
    eventually(async () => {
        await shop.rows(`UPDATE payment_checks SET due_at = UTC_TIMESTAMP(3) + INTERVAL 1 DAY
            WHERE payment_id LIKE ? AND NOT (${UNDER_WAY})`, [id]);
        return (await shop.value(`SELECT COUNT(*) FROM payment_checks WHERE payment_id LIKE ? AND ${UNDER_WAY}`, [id])) === 0;
    }, 20_000);

// Waits until every payment that the payer has paid is completed; a notice that was lost on the way is no matter.
export const paidAndCompleted = (shop) =>
    hurryUntil(shop, async () => {
        const paid = (await shop.sandbox.sessions()).filter((session) => session.charges > 0).length;
        return (await shop.value("SELECT COUNT(*) FROM payments WHERE status = 'completed'")) === paid;
    }, { ended: true });

// Hurries until fn is true. Again every half second: a check that is under way sets its next one.
export async function hurryUntil(shop, fn, options) {
    for (let tries = 1; ; tries++) {
        await hurry(shop, { ...options, again: tries > 1 });
        try {
            return await eventually(fn, 500);
        } catch (error) {
            if (tries === 120) throw error;
        }
    }
}

// The kinds of a payment's timeline, in their order.
export const kindsOf = async (shop, user, id) =>
    (await shop.client.payment(user, id)).timeline.map((event) => event.kind);

// --- looking into the database ---

export const answersOf = (shop, id) =>
    shop.rows(
        `SELECT d.outcome, d.http_status, d.provider_reference, d.reason FROM attempts a
            JOIN attempt_answers d USING (attempt_id) WHERE a.payment_id = ? ORDER BY d.answer_id`,
        [id],
    );
export const statusOf = (shop, id) =>
    shop.value('SELECT status FROM payments WHERE payment_id = ?', [id]);
export const triesOf = (shop, id) =>
    shop.value('SELECT tries FROM payment_checks WHERE payment_id = ?', [id]);

// Runs SQL as the server's own administrator, whom the programs never are.
export function superuser(shop, sql) {
    const words = [`--socket=${shop.vars.DB_SOCKET}`, `--user=${os.userInfo().username}`];
    const result = spawnSync('mariadb', ['--no-defaults', ...words, '-N', '-B', '-e', sql], {
        encoding: 'utf8',
    });
    assert.equal(result.status, 0, result.stderr);
    return result.stdout.trim();
}

// --- load ---

// Clients that deposit until `ms` have passed and `least` are acknowledged, however slow the machine is (but
// a minute is enough); one request in five repeats an acknowledged key.
// Answers are kept by key: {first: the answer, id, paid}. Counts what was refused or broke.
export async function runLoad(shop, user, { clients, ms, pays = 0.3, least = 0 }) {
    const end = Date.now() + ms;
    const seen = { acknowledged: new Map(), statuses: {}, broken: 0, changed: [], requests: 0 };
    const goesOn = () => Date.now() < end || (seen.acknowledged.size < least && Date.now() < end + 60_000);
    const send = async (key) => {
        seen.requests++;
        try {
            const answer = await shop.client.deposit(user, 1000, { tos_timestamp: 1706745600 }, { key });
            seen.statuses[answer.status] = (seen.statuses[answer.status] ?? 0) + 1;
            return answer;
        } catch {
            seen.broken++;
            return null;
        }
    };
    const client = async (number) => {
        const own = [];
        for (let i = 0; goesOn(); i++) {
            const repeated = own.length > 0 && i % 5 === 4 ? own[i % own.length] : null;
            const key = repeated ?? `load-${number}-${i}-${end}`;
            const answer = await send(key);
            const first = seen.acknowledged.get(key)?.text;
            if (answer?.status !== 200) continue;
            if (first !== undefined && first !== answer.text) seen.changed.push(key);
            if (first !== undefined) continue;
            own.push(key);
            seen.acknowledged.set(key, answer);
            if (Math.random() < pays) await shop.sandbox.act('pay', { order_id: answer.id }).catch(() => {});
        }
    };
    await Promise.all(Array.from({ length: clients }, (_, number) => client(number)));
    return seen;
}

// Every acknowledged answer is still there, byte for byte, and leads to its payment.
export async function assertKept(shop, user, seen) {
    assert.deepEqual(seen.changed, [], 'keys whose answer changed');
    for (const [key, first] of seen.acknowledged) {
        const again = await shop.client.deposit(user, 1000, { tos_timestamp: 1706745600 }, { key });
        assert.equal(again.status, 200, `${key}: ${again.text}`);
        assert.equal(again.text, first.text);
        assert.equal(again.id, first.id);
        assert.equal(again.headers['idempotent-replayed'], 'true');
    }
}

// --- the proxy before the provider ---

// A proxy keeps no test alive.
const listen = async (server, ...where) => {
    server.listen(...where);
    await once(server, 'listening');
    server.unref();
};
const quiet = (socket) => socket.on('error', () => {});

// Reads one HTTP message with a Content-Length, or up to the end of the connection.
function readMessage(socket) {
    return new Promise((resolve) => {
        let bytes = Buffer.alloc(0);
        socket.on('data', (chunk) => {
            bytes = Buffer.concat([bytes, chunk]);
            const head = bytes.indexOf('\r\n\r\n');
            if (head < 0) return;
            const length = /^content-length: *(\d+)/im.exec(bytes.subarray(0, head).toString('latin1'));
            if (bytes.length >= head + 4 + Number(length?.[1] ?? 0)) resolve(bytes);
        });
        socket.on('close', () => resolve(bytes));
    });
}

// A proxy between the handlers and the provider; it passes everything until told to cut. Use its
// port in payviox.api_url, then attach(shop). cut(point) spoils the next connection at that point:
// refused, accepted, half_request, full_request, half_header, half_body, or {answer: bytes}.
export async function makeProviderProxy() {
    const open = new Set();
    let plan = null;
    let shop, port;
    const target = () => ({ host: '127.0.0.1', port: Number(new URL(shop.urls.sandbox).port) });
    const upstream = () => quiet(tls.connect({ ...target(), servername: 'localhost', ca: shop.ca }));

    // Sends the request and waits for the whole answer, so that the provider has done its work.
    async function ask(bytes) {
        const provider = upstream();
        await once(provider, 'secureConnect');
        provider.write(bytes);
        const answer = await readMessage(provider);
        provider.destroy();
        return answer;
    }

    async function spoil(raw, point) {
        if (point === 'accepted') return raw.destroy();
        const key = fs.readFileSync(path.join(shop.home, 'tls/server.key'));
        const cert = fs.readFileSync(path.join(shop.home, 'tls/server.pem'));
        const secureContext = tls.createSecureContext({ key, cert });
        const socket = quiet(new tls.TLSSocket(raw, { isServer: true, secureContext }));
        const request = await readMessage(socket);
        if (point === 'half_request') {
            const provider = upstream();
            await once(provider, 'secureConnect');
            provider.write(request.subarray(0, request.length >> 1), () => provider.destroy());
            return raw.destroy();
        }
        if (point.answer !== undefined) return socket.end(point.answer);
        const answer = await ask(request);
        const head = answer.indexOf('\r\n\r\n') + 4;
        const told = {
            full_request: 0,
            half_header: head >> 1,
            half_body: head + ((answer.length - head) >> 1),
        }[point];
        if (told > 0) await new Promise((done) => socket.write(answer.subarray(0, told), done));
        return raw.destroy();
    }

    const server = net.createServer((raw) => {
        quiet(raw);
        open.add(raw);
        raw.on('close', () => open.delete(raw));
        if (plan !== null) {
            const point = plan;
            plan = null;
            spoil(raw, point).catch(() => raw.destroy());
            return;
        }
        const provider = quiet(net.connect(target()));
        raw.pipe(provider).pipe(raw);
        raw.on('close', () => provider.destroy());
        provider.on('close', () => raw.destroy());
    });
    await listen(server, 0, '127.0.0.1');
    port = server.address().port;
    const close = () => new Promise((done) => server.close(done));
    return {
        port,
        attach: (to) => (shop = to),
        // Runs fn while the next connection is cut at this point.
        async cut(point, fn) {
            for (const socket of open) socket.destroy(); // or an open one would be used again
            if (point === 'refused') await close();
            else plan = point;
            try {
                return await fn();
            } finally {
                plan = null;
                if (point === 'refused') await listen(server, port, '127.0.0.1');
            }
        },
        end() {
            for (const socket of open) socket.destroy();
            server.close();
        },
    };
}

// --- the proxy before the database ---

const COM_QUERY = 0x03;
const COM_STMT_PREPARE = 0x16;
const COM_STMT_EXECUTE = 0x17;
const COM_STMT_BULK_EXECUTE = 0xfa; // one statement with the values of several

const packetOf = (sequence, body) => {
    const head = Buffer.alloc(4);
    head.writeUIntLE(body.length, 0, 3);
    head[3] = sequence;
    return Buffer.concat([head, body]);
};
const queryPacket = (text) => packetOf(0, Buffer.concat([Buffer.from([COM_QUERY]), Buffer.from(text)]));
function errorPacket(errno) {
    const body = Buffer.from('\xff..#40001refused by a test', 'latin1');
    body.writeUInt16LE(errno, 1);
    return packetOf(1, body);
}

// A proxy on a unix socket that follows the conversation as far as it must: which statements the
// transaction at hand has run. cutAt(words, when) ends the connection at the next COMMIT of a
// transaction with a statement that contains `words`: 'before' it is sent on, or 'after' the
// server has carried it out, so that its answer is lost. For `away` ms no connection is taken then
// (Infinity: until comeBack()).
// refuseAt(words, errno) makes that COMMIT a conflict, as a Galera node tells of most of them: the
// transaction is undone, and the answer is this error.
export async function makeDatabaseProxy(shop) {
    const file = path.join(shop.home, 'database-proxy.sock');
    const open = new Set();
    let plan = null;
    let awayUntil = 0;

    const server = net.createServer((client) => {
        if (Date.now() < awayUntil) return quiet(client).destroy();
        const database = net.connect(shop.vars.DB_SOCKET);
        for (const socket of [client, database]) {
            quiet(socket);
            open.add(socket);
            socket.on('close', () => open.delete(socket));
        }
        const prepared = new Map();
        let waiting = null; // the text whose statement number the server is about to tell
        let run = []; // the statements of this transaction
        let rest = Buffer.alloc(0);
        let cutting = false;
        let refusal = null; // what is told in place of the server's next answer
        const cut = () => {
            client.destroy();
            database.destroy();
        };

        function follow(command, body) {
            if (command === COM_STMT_PREPARE) waiting = body.toString('utf8');
            const executes = command === COM_STMT_EXECUTE || command === COM_STMT_BULK_EXECUTE;
            if (!executes && command !== COM_QUERY) return false;
            // a statement may be a batch, with a beginning and an end of its own
            const text = executes ? prepared.get(body.readUInt32LE(0)) ?? '' : body.toString('utf8');
            if (/^(BEGIN NOT ATOMIC )?START TRANSACTION/.test(text)) run = [];
            if (executes) run.push(text);
            return /^COMMIT$|; COMMIT; END$/.test(text) && plan !== null && run.some((sql) => sql.includes(plan.words));
        }

        client.on('data', (chunk) => {
            rest = Buffer.concat([rest, chunk]);
            while (rest.length >= 5 && rest.length >= 4 + rest.readUIntLE(0, 3)) {
                const packet = rest.subarray(0, 4 + rest.readUIntLE(0, 3));
                rest = rest.subarray(packet.length);
                if (packet[3] === 0 && follow(packet[4], packet.subarray(5))) {
                    const { when, away, done, errno } = plan;
                    plan = null;
                    if (errno !== undefined) {
                        refusal = errorPacket(errno);
                        database.write(queryPacket('ROLLBACK'));
                        done();
                        continue;
                    }
                    awayUntil = Date.now() + away;
                    done();
                    if (when === 'before') return cut();
                    cutting = true;
                }
                database.write(packet);
            }
        });
        database.on('data', (chunk) => {
            if (cutting) return cut();
            if (refusal !== null) {
                client.write(refusal);
                refusal = null;
                return;
            }
            if (waiting !== null && chunk[4] === 0) prepared.set(chunk.readUInt32LE(5), waiting);
            waiting = null;
            client.write(chunk);
        });
        client.on('close', cut);
        database.on('close', cut);
    });
    await listen(server, file);
    return {
        file,
        // Resolves when the connection has been cut.
        cutAt: (words, when, away = 0) => new Promise((done) => (plan = { words, when, away, done })),
        comeBack: () => (awayUntil = 0),
        refuseAt: (words, errno) => new Promise((done) => (plan = { words, errno, done })),
        end() {
            for (const socket of open) socket.destroy();
            server.close();
        },
    };
}

// Replaces settings that the instance's guichet.conf has already, for as long as fn runs.
export async function withChangedConf(shop, from, to, fn) {
    const before = fs.readFileSync(shop.vars.CONF, 'utf8');
    assert(before.includes(from), `guichet.conf has ${from}`);
    try {
        fs.writeFileSync(shop.vars.CONF, before.replace(from, to));
        await shop.restartPart('guichet');
        await fn();
    } finally {
        fs.writeFileSync(shop.vars.CONF, before);
        await shop.restartPart('guichet');
    }
}

// --- processes ---

// Labelled crash points: arm(name) kills the next process that passes it. killAt(shop, name, part, fn)
// does so while fn runs, and waits until the part has as many processes again.
export function makeCrashes() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'guichet-points-'));
    const file = (name) => path.join(folder, name);
    const arm = (name) => fs.writeFileSync(file(name), '');
    const happened = (name) => !fs.existsSync(file(name));
    async function killAt(shop, name, part, fn) {
        const before = shop.pids(part);
        arm(name);
        const result = await fn();
        await eventually(() => happened(name));
        await eventually(() => {
            const now = shop.pids(part);
            return now.length >= before.length && now.some((pid) => !before.includes(pid));
        });
        await shop.ready();
        return result;
    }
    return { folder, arm, happened, killAt, end: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

// Kills one handler after the other, every 300 ms, until fn is over. Returns the number of kills.
export async function whileKilling(shop, fn) {
    let kills = 0;
    let over = false;
    const killer = (async () => {
        while (!over) {
            await sleep(300);
            const pids = shop.pids('guichet');
            if (pids.length === 0) continue;
            try {
                process.kill(pids[kills % pids.length], 'SIGKILL');
                kills++;
            } catch (error) {
                if (error.code !== 'ESRCH') throw error; // it was dying already
            }
        }
    })();
    await fn().finally(() => (over = true));
    await killer;
    await shop.ready();
    return kills;
}

// Ends a process with a signal and waits until another one has taken its place.
export async function replaceProcess(shop, part, pid, signal) {
    const others = shop.pids(part);
    process.kill(pid, signal);
    await eventually(() => {
        const now = shop.pids(part);
        return !now.includes(pid) && now.length >= others.length;
    }, 30_000, 25);
}
