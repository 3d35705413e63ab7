// ioredis, used the everyday way, over RESP2 and over RESP3.
'use strict';

const { describe, test, beforeEach, after } = require('node:test');
const assert = require('node:assert/strict');
const Redis = require('ioredis');
const { HOST, PORT, waitUntil } = require('./support');

for (const protocol of [2, 3]) {
  describe(`RESP${protocol}`, () => {
    const opened = [];
    function connect(options = {}) {
      const client = new Redis({ host: HOST, port: PORT, protocol, ...options });
      opened.push(client);
      return client;
    }

    const redis = connect();
    beforeEach(() => redis.flushall());
    after(() => opened.forEach((client) => client.disconnect()));

    test('strings and expiry', async () => {
      assert.equal(await redis.set('k', 'v'), 'OK');
      assert.equal(await redis.get('k'), 'v');
      assert.equal(await redis.set('k', 'w', 'PX', 40, 'XX'), 'OK');
      assert.ok((await redis.pttl('k')) <= 40);
      await waitUntil(async () => (await redis.get('k')) === null, 'the key to expire');
      assert.equal(await redis.incrby('n', 5), 5);
      assert.deepEqual(await redis.mget('n', 'none'), ['5', null]);
    });

    test('hashes', async () => {
      assert.equal(await redis.hset('h', { a: '1', b: '2' }), 2);
      assert.deepEqual(await redis.hgetall('h'), { a: '1', b: '2' });
      assert.equal(await redis.hincrby('h', 'a', 9), 10);
      assert.deepEqual(await redis.hmget('h', 'a', 'x'), ['10', null]);
      assert.deepEqual(await redis.hgetall('none'), {});
    });

    test('lists', async () => {
      assert.equal(await redis.rpush('l', 'a', 'b', 'c'), 3);
      assert.deepEqual(await redis.lrange('l', 0, -1), ['a', 'b', 'c']);
      assert.equal(await redis.lmove('l', 'm', 'RIGHT', 'LEFT'), 'c');
      assert.deepEqual(await redis.lpop('l', 2), ['a', 'b']);
    });

    test('sets', async () => {
      await redis.sadd('s', 'a', 'b', 'c');
      await redis.sadd('t', 'b', 'c', 'd');
      assert.deepEqual((await redis.sinter('s', 't')).sort(), ['b', 'c']);
      assert.equal(await redis.sismember('s', 'a'), 1);
      assert.equal(await redis.scard('s'), 3);
    });

    test('sorted sets', async () => {
      await redis.zadd('z', 1, 'a', 2.5, 'b', 3, 'c');
      assert.deepEqual(await redis.zrange('z', 0, -1), ['a', 'b', 'c']);
      assert.equal(Number(await redis.zscore('z', 'b')), 2.5);
      assert.deepEqual(await redis.zrangebyscore('z', '(1', '+inf'), ['b', 'c']);
      assert.equal(await redis.zrevrank('z', 'a'), 2);
    });

    test('buffers are binary safe', async () => {
      const value = Buffer.from(Array.from({ length: 1024 }, (_, i) => i % 256));
      await redis.set(Buffer.from([0, 255, 13, 10]), value);
      assert.deepEqual(await redis.getBuffer(Buffer.from([0, 255, 13, 10])), value);
      await redis.set('š茶', '🍵');
      assert.equal(await redis.get('š茶'), '🍵');
    });

    test('pipeline', async () => {
      const pipeline = redis.pipeline();
      for (let n = 0; n < 500; n += 1) pipeline.set(`k${n}`, n).get(`k${n}`);
      pipeline.lpush('k0', 'x');
      const replies = await pipeline.exec();
      assert.equal(replies.length, 1001);
      assert.deepEqual(replies[999], [null, '499']);
      assert.match(replies[1000][0].message, /^WRONGTYPE/);
    });

    test('multi', async () => {
      const replies = await redis.multi().incr('n').incr('n').hset('h', 'a', 1).exec();
      assert.deepEqual(replies, [[null, 1], [null, 2], [null, 1]]);
    });

    test('multi without pipeline', async () => {
      await redis.multi({ pipeline: false });
      assert.equal(await redis.set('a', 1), 'QUEUED');
      assert.equal(await redis.get('a'), 'QUEUED');
      assert.deepEqual(await redis.exec(), [[null, 'OK'], [null, '1']]);
    });

    test('watch', async () => {
      const other = connect();
      await redis.watch('k');
      await other.set('k', 'theirs');
      assert.equal(await redis.multi().set('k', 'mine').exec(), null);
      assert.equal(await redis.get('k'), 'theirs');
    });

    test('auto-pipelining', async () => {
      const auto = connect({ enableAutoPipelining: true });
      const replies = await Promise.all(Array.from({ length: 300 }, () => auto.incr('n')));
      assert.deepEqual(replies, Array.from({ length: 300 }, (_, n) => n + 1));
    });

    test('pubsub with channels and patterns', async () => {
      const subscriber = connect();
      const got = [];
      subscriber.on('message', (channel, text) => got.push(['message', channel, text]));
      subscriber.on('pmessage', (pattern, channel, text) => got.push([pattern, channel, text]));
      assert.equal(await subscriber.subscribe('news', 'sport'), 2);
      assert.equal(await subscriber.psubscribe('n*'), 3);
      assert.equal(await redis.publish('news', 'one'), 2);
      assert.equal(await redis.publish('sport', 'two'), 1);
      await waitUntil(() => got.length === 3, 'the messages');
      assert.deepEqual(got, [
        ['message', 'news', 'one'],
        ['n*', 'news', 'one'],
        ['message', 'sport', 'two'],
      ]);
      assert.equal(await subscriber.unsubscribe('news', 'sport'), 1);
      assert.equal(await subscriber.punsubscribe('n*'), 0);
      assert.equal(await subscriber.get('none'), null);
    });

    test('scanStream finds every key', async () => {
      const names = Array.from({ length: 800 }, (_, n) => `user:${n}`);
      await redis.mset(Object.fromEntries([...names, 'other'].map((name) => [name, 1])));
      const found = new Set();
      for await (const keys of redis.scanStream({ match: 'user:*', count: 50 })) {
        keys.forEach((key) => found.add(key));
      }
      assert.deepEqual([...found].sort(), names.sort());
    });

    test('hscanStream and zscanStream', async () => {
      const fields = Array.from({ length: 600 }, (_, n) => `f${n}`);
      await redis.hset('h', Object.fromEntries(fields.map((field) => [field, 'v'])));
      await redis.zadd('z', ...fields.flatMap((field) => [1, field]));
      for (const stream of [redis.hscanStream('h'), redis.zscanStream('z')]) {
        const found = new Set();
        for await (const pairs of stream) pairs.forEach((item, i) => i % 2 || found.add(item));
        assert.equal(found.size, 600);
      }
    });

    test('reconnects with its database, name and subscriptions', async () => {
      const victim = connect({ db: 2, connectionName: 'victim', retryStrategy: () => 20 });
      const subscriber = connect({ retryStrategy: () => 20 });
      const got = [];
      subscriber.on('message', (_, text) => got.push(text));
      await subscriber.subscribe('after');
      await victim.set('k', 'db two');
      const before = await victim.client('ID');
      await redis.client('KILL', 'ID', before);
      await redis.client('KILL', 'TYPE', 'pubsub');
      assert.equal(await victim.get('k'), 'db two');
      assert.notEqual(await victim.client('ID'), before);
      assert.equal(await victim.client('GETNAME'), 'victim');
      await waitUntil(async () => (await redis.publish('after', 'again')) === 1, 'the subscriber');
      await waitUntil(() => got.length === 1, 'the message');
    });

    test('errors reject', async () => {
      await assert.rejects(redis.call('NOSUCH'), /unknown command 'NOSUCH'/);
      await redis.set('k', 'x');
      await assert.rejects(redis.incr('k'), /not an integer or out of range/);
    });

    test('info and quit', async () => {
      assert.match(await redis.info('server'), /redis_version:7\./);
      const client = connect();
      await client.ping();
      assert.equal(await client.quit(), 'OK');
      await waitUntil(() => client.status === 'end', 'the end of the connection');
    });
  });
}
