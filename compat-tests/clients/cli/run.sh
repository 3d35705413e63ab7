#!/usr/bin/env bash
# redis-cli and redis-benchmark (both built on hiredis) in everyday use: cli/run.sh HOST PORT
# It EMPTIES the server. Prints a line per failure and 'N passed, N failed'.
set -uo pipefail

host=$1 port=$2
work=$(mktemp -d)
monitor_pid=
trap '[ -z "$monitor_pid" ] || kill "$monitor_pid" 2>/dev/null; rm -rf "$work"' EXIT
passed=0 failed=0

cli() { timeout 60 redis-cli -h "$host" -p "$port" "$@"; }

# The two views that never end are ended here; without stdbuf their last lines would stay in a buffer.
watch_for() { timeout "$1" stdbuf -oL redis-cli -h "$host" -p "$port" "${@:2}" </dev/null; }

# Takes colours away.
plain() { sed 's/\x1b\[[0-9]*m//g'; }

# is NAME EXPECTED ACTUAL: equal texts.
is() {
  if [ "$2" == "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n  expected: %s\n  got:      %s\n' "$1" "$2" "$3"
  fi
}

# has NAME PATTERN ACTUAL: a line matches the extended regular expression.
has() {
  if grep -qE -- "$2" <<<"$3"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n  no line matches: %s\n  got: %s\n' "$1" "$2" "$(head -c 2000 <<<"$3")"
  fi
}

# until_true COMMAND...: polls for at most 20 s.
until_true() {
  local deadline=$((SECONDS + 20))
  until "$@"; do
    [ $SECONDS -lt $deadline ] || return 1
    read -rt 0.02 <> <(:) || true
  done
}

is 'ping' PONG "$(cli ping)"
is 'flushall' OK "$(cli flushall)"

# Everyday commands, with redis-cli's ways of printing replies.
is 'set' OK "$(cli set greeting 'hello world')"
is 'get' 'hello world' "$(cli get greeting)"
is 'a quoted reply' '"hello world"' "$(cli --no-raw get greeting)"
is 'nil' '(nil)' "$(cli --no-raw get none)"
is 'integer' '(integer) 3' "$(cli --no-raw rpush list a b c)"
is 'array' $'1) "a"\n2) "b"\n3) "c"' "$(cli --no-raw lrange list 0 -1)"
is 'csv' '"a","b","c"' "$(cli --csv lrange list 0 -1)"
is 'json' '["a","b","c"]' "$(cli --json lrange list 0 -1)"
is 'RESP3 map as json' '{"f":"v"}' "$(cli hset hash f v >/dev/null; cli -3 --json hgetall hash)"
is 'RESP3 double' '(double) 1.5' "$(cli zadd zset 1.5 m >/dev/null; cli -3 --no-raw zscore zset m)"
is 'repeat' $'1\n2\n3' "$(cli -r 3 incr counter)"
is 'value from stdin' OK "$(printf 'a\0b\r\nc' | cli -x set bytes)"
is 'value from stdin, its length' 6 "$(cli strlen bytes)"
is 'another database' OK "$(cli -n 5 set where five)"
is 'databases differ' '' "$(cli get where)"
is 'commands from stdin' $'OK\n2\n1' "$(printf 'set n 1\nincr n\ndel n\n' | cli)"
is 'multi from stdin' $'OK\nQUEUED\nQUEUED\n1\n2' "$(printf 'multi\nincr t\nincr t\nexec\n' | cli)"
has 'unknown command' "^ERR unknown command 'nosuch', with args beginning with: 'x'" "$(cli nosuch x)"
cli -e nosuch >/dev/null 2>&1
is 'exit code of an error' 1 $?
has 'wrong number of arguments' "^ERR wrong number of arguments for 'get' command" "$(cli get)"
has 'info' '^redis_version:7\.' "$(cli info server)"
has 'verbatim info over RESP3' '^# Server' "$(cli -3 info server)"
has 'client list' 'cmd=client' "$(cli client list)"
has 'hello' '^proto' "$(cli hello 3)"

# Descriptions: what redis-cli's help and completion are made of.
has 'command docs' '^summary' "$(cli command docs get)"
has 'command docs of an argument' 'key' "$(cli command docs hset)"
has 'command docs of all' '^zadd$' "$(cli command docs)"
has 'command info' '^get$' "$(cli command info get)"
has 'command list' '^subscribe$' "$(cli command list)"
has 'help of a command' '^ *SET key value' "$(cli help set | plain)"
has 'help of a group' 'HSET' "$(cli help @hash)"

# Mass insertion.
cli flushall >/dev/null
awk 'BEGIN { for (i = 0; i < 100000; i++) printf "SET key:%d value:%d\r\n", i, i }' >"$work/inline"
has 'pipe mode, inline commands' '^errors: 0, replies: 100000$' "$(cli --pipe <"$work/inline" 2>&1)"
is 'pipe mode stored all' 100000 "$(cli dbsize)"
is 'pipe mode stored the last' value:99999 "$(cli get key:99999)"
awk 'BEGIN { for (i = 0; i < 100000; i++) { f = "field:" i; k = "hash:" (i % 100)
  printf "*4\r\n$4\r\nHSET\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$1\r\nv\r\n", length(k), k, length(f), f } }' >"$work/resp"
has 'pipe mode, RESP' '^errors: 0, replies: 100000$' "$(cli --pipe <"$work/resp" 2>&1)"
is 'pipe mode filled the hashes' 1000 "$(cli hlen hash:42)"
has 'pipe mode counts errors' '^errors: 1, replies: 2$' "$(printf 'SET a x\r\nINCR a\r\n' | cli --pipe 2>&1)"

# Scanning and sampling.
is 'scan finds every hash' 100 "$(cli --scan --pattern 'hash:*' | sort -u | wc -l)"
is 'scan finds every key' 100101 "$(cli --scan | sort -u | wc -l)"
cli flushall >/dev/null
cli set small x >/dev/null
head -c 5000 /dev/zero | cli -x set large >/dev/null
cli rpush items 1 2 3 4 >/dev/null
cli sadd people ann ben >/dev/null
cli zadd scores 1 a 2 b 3 c >/dev/null
cli hset profile name x >/dev/null
big=$(cli --bigkeys)
has 'bigkeys: string' 'Biggest string found .*large.* has 5000 bytes' "$big"
has 'bigkeys: list' 'Biggest +list found .*items.* has 4 items' "$big"
has 'bigkeys: set' 'Biggest +set found .*people.* has 2 members' "$big"
has 'bigkeys: zset' 'Biggest +zset found .*scores.* has 3 members' "$big"
has 'bigkeys: hash' 'Biggest +hash found .*profile.* has 1 fields' "$big"
has 'bigkeys: all sampled' 'Sampled 6 keys in the keyspace' "$big"
mem=$(cli --memkeys)
has 'memkeys: string' 'Biggest string found .*large.* has [0-9]{4,} bytes' "$mem"
has 'memkeys: all sampled' 'Sampled 6 keys in the keyspace' "$mem"

# Watching a server.
has 'latency' '^[0-9]+ [0-9]+ [0-9.]+ [0-9]+$' "$(cli --latency -i 1 </dev/null)"
has 'latency history' '^ -- [0-9.]+ seconds range' "$(watch_for 3 --latency-history -i 1)"
stat=$(watch_for 2 --stat -i 0.2)
has 'stat: heading' 'keys +mem +clients +blocked +requests +connections' "$stat"
has 'stat: figures' '^6 +[0-9.]+[BKMG] +[0-9]+ +0 +[0-9]+ \(\+[0-9]+\) +[0-9]+' "$stat"

redis-cli -h "$host" -p "$port" monitor >"$work/monitor" &
monitor_pid=$!
monitoring() { grep -q '^OK' "$work/monitor" || { [ -n "$(cli client list | grep 'flags=O')" ]; }; }
until_true monitoring
is 'monitor begins' 0 $?
cli -n 3 set 'seen key' $'a\tb' >/dev/null
cli hset profile name y >/dev/null
saw_last() { grep -q '"hset" "profile" "name" "y"' "$work/monitor"; }
until_true saw_last
is 'monitor shows all' 0 $?
has 'monitor line' '^[0-9]+\.[0-9]{6} \[3 .*:[0-9]+\] "set" "seen key" "a\\tb"$' "$(cat "$work/monitor")"
kill "$monitor_pid"
wait "$monitor_pid" 2>/dev/null
monitor_pid=

# redis-benchmark with all of its default tests: each reports a rate, none an error.
bench=$(timeout 300 redis-benchmark -h "$host" -p "$port" -q -n 2000 2>&1 | tr '\r' '\n')
for name in PING_INLINE PING_MBULK SET GET INCR LPUSH RPUSH LPOP RPOP SADD HSET SPOP ZADD ZPOPMIN \
  'LPUSH \(needed to benchmark LRANGE\)' LRANGE_100 LRANGE_300 LRANGE_500 LRANGE_600 MSET; do
  has "benchmark $name" "^$name( \(.*\))?: [0-9.]+ requests per second" "$bench"
done
is 'benchmark without errors' '' "$(grep -iE 'error|ERR ' <<<"$bench")"
piped=$(timeout 120 redis-benchmark -h "$host" -p "$port" -q -n 20000 -P 16 -r 1000 -t set,get --csv 2>&1)
has 'benchmark with pipelines' '^"GET","[0-9.]+"' "$piped"
threads=$(timeout 120 redis-benchmark -h "$host" -p "$port" -q -n 5000 --threads 2 -t set 2>&1 | tr '\r' '\n')
has 'benchmark with threads' '^SET: [0-9.]+ requests per second' "$threads"
custom=$(timeout 120 redis-benchmark -h "$host" -p "$port" -q -n 1000 -r 50 hset h:__rand_int__ f v 2>&1 | tr '\r' '\n')
has 'benchmark of a command of its own' '^hset .*: [0-9.]+ requests per second' "$custom"

cli flushall >/dev/null
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
