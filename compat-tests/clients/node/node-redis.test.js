// node-redis, used the everyday way, over RESP2 and over RESP3.
'use strict';

const { describe, test, before, beforeEach, after } = require('node:test');
const assert = require('node:assert/strict');
const { createClient, RESP_TYPES, WatchError } = require('redis');
const { HOST, PORT, waitUntil } = require('./support');

for (const RESP of [2, 3]) {
  describe(`RESP${RESP}`, () => {
    const opened = [];
    let redis;

    async function connect(options = {}) {
      const { socket, ...rest } = options;
      const client = createClient({ RESP, socket: { host: HOST, port: PORT, ...socket }, ...rest });
      client.on('error', () => {}); // a cut connection is an event, too; commands tell the rest
      opened.push(client);
      return client.connect();
    }

    before(async () => {
      redis = await connect();
    });
    beforeEach(() => redis.flushAll());
    after(() => opened.filter((client) => client.isOpen).forEach((client) => client.destroy()));

    test('strings and expiry', async () => {
      assert.equal(await redis.set('k', 'v'), 'OK');
      assert.equal(await redis.get('k'), 'v');
      await redis.set('k', 'w', { expiration: { type: 'PX', value: 40 } });
      await waitUntil(async () => (await redis.get('k')) === null, 'the key to expire');
      assert.equal(await redis.incrBy('n', 5), 5);
      assert.deepEqual(await redis.mGet(['n', 'none']), ['5', null]);
      assert.equal(await redis.incrByFloat('n', 0.5), '5.5');
    });

    test('hashes', async () => {
      assert.equal(await redis.hSet('h', { a: '1', b: '2' }), 2);
      assert.deepEqual({ ...(await redis.hGetAll('h')) }, { a: '1', b: '2' });
      assert.equal(await redis.hIncrBy('h', 'a', 9), 10);
      assert.deepEqual(await redis.hmGet('h', ['a', 'x']), ['10', null]);
    });

    test('lists', async () => {
      assert.equal(await redis.rPush('l', ['a', 'b', 'c']), 3);
      assert.deepEqual(await redis.lRange('l', 0, -1), ['a', 'b', 'c']);
      assert.equal(await redis.lMove('l', 'm', 'RIGHT', 'LEFT'), 'c');
      assert.deepEqual(await redis.lPopCount('l', 2), ['a', 'b']);
    });

    test('sets', async () => {
      await redis.sAdd('s', ['a', 'b', 'c']);
      await redis.sAdd('t', ['b', 'c', 'd']);
      assert.deepEqual([...(await redis.sInter(['s', 't']))].sort(), ['b', 'c']);
      assert.deepEqual([...(await redis.sMembers('s'))].sort(), ['a', 'b', 'c']);
      assert.equal(Number(await redis.sIsMember('s', 'a')), 1);
    });

    test('sorted sets', async () => {
      const members = [
        { value: 'a', score: 1 },
        { value: 'b', score: 2.5 },
        { value: 'c', score: Infinity },
      ];
      await redis.zAdd('z', members);
      assert.deepEqual(await redis.zRangeWithScores('z', 0, -1), members);
      assert.equal(await redis.zScore('z', 'b'), 2.5);
      assert.deepEqual(await redis.zRange('z', '(1', '+inf', { BY: 'SCORE' }), ['b', 'c']);
      assert.deepEqual(await redis.zPopMin('z'), { value: 'a', score: 1 });
    });

    test('buffers are binary safe', async () => {
      const raw = redis.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
      const value = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256));
      await redis.set(Buffer.from([0, 255, 13, 10]), value);
      assert.deepEqual(await raw.get(Buffer.from([0, 255, 13, 10])), value);
      await redis.set('š茶', '🍵');
      assert.equal(await redis.get('š茶'), '🍵');
    });

    test('commands of one tick share a pipeline', async () => {
      const replies = await Promise.all(Array.from({ length: 300 }, () => redis.incr('n')));
      assert.deepEqual(replies, Array.from({ length: 300 }, (_, n) => n + 1));
    });

    test('multi', async () => {
      const replies = await redis.multi().set('k', 'v').get('k').incr('n').exec();
      assert.deepEqual(replies, ['OK', 'v', 1]);
    });

    test('pipeline without a transaction', async () => {
      const replies = await redis.multi().set('k', 'v').get('k').execAsPipeline();
      assert.deepEqual(replies, ['OK', 'v']);
    });

    test('watch', async () => {
      const other = await connect();
      await other.watch('k');
      await redis.set('k', 'theirs');
      await assert.rejects(other.multi().set('k', 'mine').exec(), WatchError);
      assert.equal(await redis.get('k'), 'theirs');
    });

    test('pubsub with channels and patterns', async () => {
      const subscriber = await connect();
      const got = [];
      await subscriber.subscribe('news', (text, channel) => got.push(['sub', channel, text]));
      await subscriber.pSubscribe('n*', (text, channel) => got.push(['psub', channel, text]));
      assert.equal(await redis.publish('news', 'one'), 2);
      await waitUntil(() => got.length === 2, 'the messages');
      assert.deepEqual(got, [['sub', 'news', 'one'], ['psub', 'news', 'one']]);
      await subscriber.unsubscribe();
      await subscriber.pUnsubscribe();
      assert.equal(await redis.publish('news', 'two'), 0);
      assert.equal(String(await subscriber.ping()), 'PONG'); // the client may hand out bytes here
    });

    test('scanIterator finds every key', async () => {
      const names = Array.from({ length: 800 }, (_, n) => `user:${n}`);
      await redis.mSet([...names, 'other'].map((name) => [name, '1']));
      const found = new Set();
      for await (const keys of redis.scanIterator({ MATCH: 'user:*', COUNT: 50 })) {
        keys.forEach((key) => found.add(key));
      }
      assert.deepEqual([...found].sort(), names.sort());
    });

    test('hScanIterator', async () => {
      const fields = Array.from({ length: 600 }, (_, n) => `f${n}`);
      await redis.hSet('h', Object.fromEntries(fields.map((field) => [field, 'v'])));
      const found = new Set();
      for await (const entries of redis.hScanIterator('h')) {
        entries.forEach(({ field }) => found.add(field));
      }
      assert.equal(found.size, 600);
    });

    test('reconnects with its database and subscriptions', async () => {
      const victim = await connect({ database: 2, socket: { reconnectStrategy: 20 } });
      const subscriber = await connect({ socket: { reconnectStrategy: 20 } });
      const got = [];
      await subscriber.subscribe('after', (text) => got.push(text));
      await victim.set('k', 'db two');
      const before = await victim.clientId();
      const back = new Promise((resolve) => victim.once('ready', resolve));
      await redis.sendCommand(['CLIENT', 'KILL', 'ID', String(before)]);
      await redis.sendCommand(['CLIENT', 'KILL', 'TYPE', 'pubsub']);
      await back;
      assert.equal(await victim.get('k'), 'db two');
      assert.notEqual(await victim.clientId(), before);
      await waitUntil(async () => (await redis.publish('after', 'again')) === 1, 'the subscriber');
      await waitUntil(() => got.length === 1, 'the message');
    });

    test('errors reject', async () => {
      await assert.rejects(redis.sendCommand(['NOSUCH']), /unknown command 'NOSUCH'/);
      await redis.set('k', 'x');
      await assert.rejects(redis.incr('k'), /not an integer or out of range/);
    });

    test('info, client name, close', async () => {
      assert.match(String(await redis.info('server')), /redis_version:7\./);
      const client = await connect({ name: 'till-3' });
      assert.equal(await client.clientGetName(), 'till-3');
      assert.equal((await client.clientInfo()).name, 'till-3');
      await client.close();
      assert.equal(client.isOpen, false);
    });
  });
}
