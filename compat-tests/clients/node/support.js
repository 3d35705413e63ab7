// Where the server is, and how to wait for a condition without guessing a time.
'use strict';

const HOST = process.env.SERVER_HOST;
const PORT = Number(process.env.SERVER_PORT);
const DEADLINE_MS = 20_000;

async function waitUntil(condition, what) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

module.exports = { HOST, PORT, waitUntil };
