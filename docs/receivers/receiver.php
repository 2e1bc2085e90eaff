<?php
/**
 * A webhook receiver: verify, keep once, answer at once; work happens later.
 *
 *     WEBHOOK_SECRET=whsec_… INBOX=inbox php -S 127.0.0.1:8000 receiver.php
 *
 * WEBHOOK_SECRET may hold two secrets, a blank between, while one replaces the other.
 * No packages; https://www.standardwebhooks.com lists ready-made ones.
 */

declare(strict_types=1);

const TOLERANCE_S = 300;
const MAX_BYTES = 1 << 20;

/** Whether one of our secrets has signed these very bytes, and just now. */
function is_genuine(string $id, string $timestamp, string $signatures, string $body): bool
{
    if (!preg_match('/^[A-Za-z0-9_-]+$/D', $id) || !preg_match('/^[0-9]{1,12}$/D', $timestamp)) {
        return false;
    }
    if (abs(time() - (int) $timestamp) > TOLERANCE_S) {
        return false;
    }
    foreach (explode(' ', (string) getenv('WEBHOOK_SECRET')) as $secret) {
        $key = base64_decode(substr($secret, strlen('whsec_')));
        $mac = hash_hmac('sha256', "$id.$timestamp.$body", $key, true);
        foreach (explode(' ', $signatures) as $given) {
            // in constant time: how long it takes must not tell how much was right
            if (hash_equals('v1,' . base64_encode($mac), $given)) {
                return true;
            }
        }
    }
    return false;
}

/** Keep a message; "x" fails if it is there: the sender may repeat itself, we do not. */
function keep_once(string $id, string $body): bool
{
    $inbox = getenv('INBOX') ?: 'inbox';
    if (!is_dir($inbox)) {
        mkdir($inbox);
    }
    $file = @fopen("$inbox/$id.json", 'x');
    if ($file === false) {
        return file_exists("$inbox/$id.json");
    }
    return fwrite($file, $body) === strlen($body) && fclose($file);
}

// As they came: do not decode and encode them again.
$body = file_get_contents('php://input', false, null, 0, MAX_BYTES + 1);
$id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
$timestamp = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
$signatures = $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? '';

if (strlen($body) > MAX_BYTES) {
    http_response_code(413);
} elseif (!is_genuine($id, $timestamp, $signatures, $body)) {
    http_response_code(401);
} else {
    // a 5xx has the sender try again
    http_response_code(keep_once($id, $body) ? 204 : 500);
}
