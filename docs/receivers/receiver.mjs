/**
 * A webhook receiver: verify, keep once, answer at once; work happens later.
 *
 *     WEBHOOK_SECRET=whsec_… INBOX=inbox node receiver.mjs 8000
 *
 * WEBHOOK_SECRET may hold two secrets, a blank between, while one replaces the other.
 * Node's own modules only; https://www.standardwebhooks.com lists ready-made packages.
 */
import {createHmac, timingSafeEqual} from "node:crypto";
import {mkdirSync, writeFileSync} from "node:fs";
import {createServer} from "node:http";
import {join} from "node:path";

const TOLERANCE_S = 300;
const MAX_BYTES = 1 << 20;
const SECRETS = process.env.WEBHOOK_SECRET.split(" ").map((secret) =>
  Buffer.from(secret.replace(/^whsec_/, ""), "base64")
);
const INBOX = process.env.INBOX || "inbox";

/** Whether two texts are the same, in a time that does not tell how much of them is. */
function isEqual(one, other) {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether one of our secrets has signed these very bytes, and just now. */
function isGenuine(headers, body) {
  const id = headers["webhook-id"] || "";
  const timestamp = headers["webhook-timestamp"] || "";
  if (!/^[A-Za-z0-9_-]+$/.test(id) || !/^[0-9]{1,12}$/.test(timestamp)) {
    return false;
  }
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) {
    return false;
  }
  const given = (headers["webhook-signature"] || "").split(" ");
  return SECRETS.some((secret) => {
    const hmac = createHmac("sha256", secret)
      .update(`${id}.${timestamp}.`)
      .update(body);
    const expected = `v1,${hmac.digest("base64")}`;
    return given.some((one) => isEqual(one, expected));
  });
}

/** Keep a message; "wx" fails if it is there: the sender may repeat itself, we do not. */
function keepOnce(id, body) {
  try {
    writeFileSync(join(INBOX, `${id}.json`), body, {flag: "wx"});
  } catch (error) {
    if (error.code !== "EEXIST") {
      throw error;
    }
  }
}

async function receive(request) {
  const chunks = [];
  let length = 0;
  for await (const chunk of request) {
    length += chunk.length;
    if (length > MAX_BYTES) {
      return 413;
    }
    chunks.push(chunk);
  }
  // As they came: do not parse and stringify them again.
  const body = Buffer.concat(chunks);
  if (!isGenuine(request.headers, body)) {
    return 401;
  }
  keepOnce(request.headers["webhook-id"], body);
  return 204;
}

mkdirSync(INBOX, {recursive: true});
createServer(async (request, response) => {
  // A 5xx has the sender try again.
  response.writeHead(await receive(request).catch(() => 500)).end();
}).listen(Number(process.argv[2]), "127.0.0.1");
