<?php
// The jobs of the benchmark as a careful PHP developer would write them: php-fpm with opcache, a
// persistent connection, prepared statements on the server, one transaction per step.
declare(strict_types=1);

final class Refusal extends Exception
{
}

function database(): PDO
{
    static $db = null;
    return $db ??= new PDO(
        'mysql:unix_socket=' . getenv('BENCH_SOCKET') . ';dbname=' . getenv('BENCH_DATABASE'),
        getenv('BENCH_USER'),
        getenv('BENCH_PASSWORD'),
        [
            PDO::ATTR_PERSISTENT => true,
            PDO::ATTR_EMULATE_PREPARES => false,
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
        ],
    );
}

function run(string $sql, array $values): PDOStatement
{
    $statement = database()->prepare($sql);
    $statement->execute($values);
    return $statement;
}

function transaction(callable $unit): mixed
{
    $db = database();
    for ($tries = 1;; $tries++) {
        $db->beginTransaction();
        try {
            $result = $unit();
            $db->commit();
            return $result;
        } catch (Throwable $error) {
            $db->rollBack();
            $again = $error instanceof PDOException && in_array($error->errorInfo[1] ?? 0, [1020, 1205, 1213], true);
            if (!$again || $tries === 5) {
                throw $error;
            }
        }
    }
}

// --- who calls ---

function base64url(string $text): string
{
    return base64_decode(strtr($text, '-_', '+/'), true) ?: '';
}

function user(): int
{
    $parts = explode('.', preg_replace('/^Bearer /i', '', $_SERVER['HTTP_AUTHORIZATION'] ?? ''));
    if (count($parts) !== 3) {
        throw new Refusal('Unauthorized', 401);
    }
    [$head, $claims, $signature] = $parts;
    $right = hash_hmac('sha256', "$head.$claims", getenv('BENCH_TOKEN_KEY'), true);
    $header = json_decode(base64url($head), true);
    $token = json_decode(base64url($claims), true);
    if (($header['alg'] ?? '') !== 'HS256' || !hash_equals($right, base64url($signature))) {
        throw new Refusal('Unauthorized', 401);
    }
    if ($token['iss'] !== 'API' || $token['exp'] <= time() || $token['ip'] !== $_SERVER['REMOTE_ADDR']) {
        throw new Refusal('Unauthorized', 401);
    }
    $user = run('SELECT user_id, banned FROM users WHERE user_id = ?', [(int) $token['sub']])->fetch();
    if (!$user || $user['banned']) {
        throw new Refusal('Invalid user', 401);
    }
    return $user['user_id'];
}

function body(): array
{
    $body = json_decode(file_get_contents('php://input'), true);
    if (!is_array($body)) {
        throw new Refusal('Invalid request parameters', 400);
    }
    $tos = $body['tos_timestamp'] ?? null;
    if (!is_int($tos) || $tos > time() || $tos <= 0) {
        throw new Refusal('Terms of service', 400);
    }
    return $body;
}

function answer(array $content): string
{
    return json_encode(['err' => false, 'success' => true, 'content' => $content], JSON_UNESCAPED_SLASHES);
}

// --- the jobs ---

function ask_provider(int $id, int $user, int $value): array
{
    $curl = curl_init(getenv('BENCH_PROVIDER') . '/session');
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => json_encode([
            'amount' => $value,
            'currency' => 'USD',
            'customer' => (string) $user,
            'order_id' => "PAY_$id",
            'items' => [['name' => 'Balance deposit', 'quantity' => 1, 'price' => $value]],
            'metadata' => ['payment_id' => "PAY_$id", 'user_id' => (string) $user],
        ]),
        CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . getenv('BENCH_SECRET'), 'Content-Type: application/json'],
        CURLOPT_CAINFO => getenv('BENCH_CA'),
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT => 3,
        CURLOPT_TIMEOUT => 15,
    ]);
    $text = curl_exec($curl);
    $session = $text === false ? null : json_decode($text, true);
    if (curl_getinfo($curl, CURLINFO_RESPONSE_CODE) !== 201 || !isset($session['session_id'])) {
        throw new Refusal('Payment outcome unknown', 504);
    }
    return $session;
}

function deposit(int $user, array $body): string
{
    $value = $body['value'] ?? null;
    if (!is_int($value) || $value < 100 || $value > 2500000) {
        throw new Refusal('Invalid request parameters', 400);
    }
    $key = $_SERVER['HTTP_IDEMPOTENCY_KEY'] ?? null;
    if ($key !== null) {
        $known = run('SELECT url FROM payments WHERE user_id = ? AND idempotency_key = ?', [$user, $key])->fetch();
        if ($known) {
            return answer(['url' => $known['url']]);
        }
    }
    run("INSERT INTO payments (user_id, type, amount, idempotency_key) VALUES (?, 'balance', ?, ?)", [$user, $value, $key]);
    $id = (int) database()->lastInsertId();
    $session = ask_provider($id, $user, $value);
    run(
        "UPDATE payments SET status = 'pending', provider_reference = ?, url = ? WHERE payment_id = ?",
        [$session['session_id'], $session['redirect_url'], $id],
    );
    return answer(['url' => $session['redirect_url']]);
}

function purchase(int $user, array $body): string
{
    $assets = array_map('intval', explode(',', $body['items'] ?? ''));
    sort($assets);
    return transaction(function () use ($user, $assets) {
        $marks = implode(', ', array_fill(0, count($assets), '?'));
        $items = run(
            "SELECT asset_id, owner_id, on_sale, price FROM items WHERE asset_id IN ($marks) ORDER BY asset_id FOR UPDATE",
            $assets,
        )->fetchAll();
        $total = array_sum(array_column($items, 'price'));
        foreach ($items as $item) {
            if (!$item['on_sale'] || $item['owner_id'] === $user) {
                throw new Refusal('No items found', 400);
            }
        }
        if (count($items) !== count($assets)) {
            throw new Refusal('No items found', 400);
        }
        run("INSERT INTO payments (user_id, type, amount, status) VALUES (?, 'items', ?, 'completed')", [$user, $total]);
        $id = (int) database()->lastInsertId();
        $gains = [$user => -$total, 1 => 0];
        foreach ($items as $item) {
            $fee = intdiv($item['price'] * 5, 100);
            $gains[1] += $fee;
            $gains[$item['owner_id']] = ($gains[$item['owner_id']] ?? 0) + $item['price'] - $fee;
            run('INSERT INTO payment_items (payment_id, asset_id, price) VALUES (?, ?, ?)', [$id, $item['asset_id'], $item['price']]);
        }
        ksort($gains);
        $lines = [];
        foreach ($gains as $account => $amount) {
            array_push($lines, $id, $account, $amount);
            if ($account !== 1) {
                run('UPDATE balances SET balance = balance + ? WHERE user_id = ?', [$amount, $account]);
            }
        }
        if (run('SELECT balance FROM balances WHERE user_id = ?', [$user])->fetchColumn() < 0) {
            throw new Refusal('Insufficient balance', 402);
        }
        run('INSERT INTO ledger (payment_id, account, amount) VALUES ' . implode(', ', array_fill(0, count($gains), '(?, ?, ?)')), $lines);
        run("UPDATE items SET owner_id = ?, on_sale = 0 WHERE asset_id IN ($marks)", [$user, ...$assets]);
        return answer(['message' => 'Payment processed successfully']);
    });
}

function notice(): string
{
    $body = file_get_contents('php://input');
    if (!hash_equals(hash_hmac('sha256', $body, getenv('BENCH_WEBHOOK_KEY')), $_SERVER['HTTP_SIGNATURE'] ?? '')) {
        throw new Refusal('Wrong signature', 401);
    }
    $notice = json_decode($body, true);
    $id = (int) substr($notice['order_id'], 4);
    return transaction(function () use ($body, $notice, $id) {
        $put = run('INSERT IGNORE INTO notices (body_hash, body) VALUES (?, ?)', [hash('sha256', $body, true), $body]);
        if ($put->rowCount() === 0) {
            return '{}';
        }
        $payment = run('SELECT user_id, amount, status FROM payments WHERE payment_id = ? FOR UPDATE', [$id])->fetch();
        if (!$payment || $payment['amount'] !== $notice['amount'] || $notice['currency'] !== 'USD') {
            throw new Refusal('No such payment', 400);
        }
        if ($notice['type'] === 'succeeded' && $payment['status'] === 'pending') {
            run("UPDATE payments SET status = 'completed' WHERE payment_id = ?", [$id]);
            run(
                'INSERT INTO ledger (payment_id, account, amount) VALUES (?, ?, ?), (?, 0, ?)',
                [$id, $payment['user_id'], $payment['amount'], $id, -$payment['amount']],
            );
            run('UPDATE balances SET balance = balance + ? WHERE user_id = ?', [$payment['amount'], $payment['user_id']]);
        }
        return '{}';
    });
}

function route(): string
{
    switch ($_SERVER['REQUEST_METHOD'] . ' ' . $_SERVER['DOCUMENT_URI']) {
        case 'POST /payment/payviox':
            return deposit(user(), body());
        case 'POST /payment/mannco':
            return purchase(user(), body());
        case 'POST /webhook/payviox':
            return notice();
        case 'GET /user/balance':
            return answer(['balance' => run('SELECT balance FROM balances WHERE user_id = ?', [user()])->fetchColumn()]);
    }
    throw new Refusal('Not found', 404);
}

header('Content-Type: application/json; charset=utf-8');
try {
    echo route();
} catch (Refusal $refusal) {
    http_response_code($refusal->getCode());
    echo json_encode(['err' => true, 'success' => false, 'content' => $refusal->getMessage()]);
}
