import { createHash } from 'node:crypto'
import { FOREVER } from './redis-record.ts'

/** A Lua script that Redis runs as one step (https://redis.io/docs/latest/develop/programmability/eval-intro/). */
export type RedisScript = { readonly lua: string; readonly sha: string }

// A time as text: Lua itself would write 1.7e+12. And how to store a record that expires. Redis
// removes it by its own clock, for room only: what has expired is always decided by the caller's.
const RECORDS = `
local function text(number) return string.format('%.17g', number) end
local function store(key, record, expiresAt, now, margin)
  local life = math.max(expiresAt - now, 0) + margin
  if life > 1e14 then redis.call('SET', key, record)
  else redis.call('SET', key, record, 'PX', string.format('%.0f', life)) end
end
`

/** `swap(value) now expected? expected expiresAt value margin` → `[1]`, or `[0, present]`. */
export const SWAP = script(`
local now = tonumber(ARGV[1])
local present = false
local record = redis.call('GET', KEYS[1])
if record then
  local space = string.find(record, ' ', 1, true)
  if tonumber(string.sub(record, 1, space - 1)) > now then present = string.sub(record, space + 1) end
end
local expected = ARGV[2] == '1' and ARGV[3]
if present ~= expected then return {0, present} end
store(KEYS[1], ARGV[4] .. ' ' .. ARGV[5], tonumber(ARGV[4]), now, tonumber(ARGV[6]))
return {1}
`)

/**
 * `strike(record) now expiresAt margin wait…` → `[counted, count, until]`. A record is
 * `count until expiresAt`; the rules are those of `addStrike` in counting.ts.
 */
export const STRIKE = script(`
local now, expiresAt = tonumber(ARGV[1]), tonumber(ARGV[2])
local count, waits, ends = 0, 0, 0
local record = redis.call('GET', KEYS[1])
if record then
  local c, w, e = string.match(record, '^(%S+) (%S+) (%S+)$')
  if tonumber(e) > now then count, waits, ends = tonumber(c), tonumber(w), tonumber(e) end
end
if waits > now then return {0, count, text(waits)} end
count = count + 1
ends = math.max(ends, expiresAt)
local wait = 0
if #ARGV > 3 then wait = tonumber(ARGV[math.min(count + 3, #ARGV)]) end
if wait >= ${FOREVER} then waits = wait
elseif wait > 0 then waits = math.min(now + wait, ends)
else waits = 0 end
store(KEYS[1], count .. ' ' .. text(waits) .. ' ' .. text(ends), ends, now, tonumber(ARGV[3]))
return {1, count, text(waits)}
`)

/** `waive(record) now nth left margin` → `[]`; the rules are those of `waiveStrike` in counting.ts. */
export const WAIVE = script(`
local now = tonumber(ARGV[1])
local record = redis.call('GET', KEYS[1])
if record then
  local count, _, ends = string.match(record, '^(%S+) (%S+) (%S+)$')
  if tonumber(ends) > now and tonumber(count) == tonumber(ARGV[2]) then
    store(KEYS[1], ARGV[3] .. ' 0 ' .. ends, tonumber(ends), now, tonumber(ARGV[4]))
  end
end
return {}
`)

/**
 * `count(record…) now margin (limit windowMs)…` → `[-1]`, or `[index, endsAt]` of the first that
 * is full. A record is `count endsAt`; the rules are those of `addToWindows` in counting.ts.
 */
export const COUNT = script(`
local now, margin = tonumber(ARGV[1]), tonumber(ARGV[2])
local counts, ends = {}, {}
for i, key in ipairs(KEYS) do
  counts[i], ends[i] = 0, now + tonumber(ARGV[2 * i + 2])
  local record = redis.call('GET', key)
  if record then
    local c, e = string.match(record, '^(%S+) (%S+)$')
    if tonumber(e) > now then counts[i], ends[i] = tonumber(c), tonumber(e) end
  end
  if counts[i] >= tonumber(ARGV[2 * i + 1]) then return {i - 1, text(ends[i])} end
end
for i, key in ipairs(KEYS) do
  store(key, (counts[i] + 1) .. ' ' .. text(ends[i]), ends[i], now, margin)
end
return {-1}
`)

/** `uncount(record…) now margin` → `[]`: one less in each window that is running, 0 at the least. */
export const UNCOUNT = script(`
local now, margin = tonumber(ARGV[1]), tonumber(ARGV[2])
for _, key in ipairs(KEYS) do
  local record = redis.call('GET', key)
  if record then
    local count, ends = string.match(record, '^(%S+) (%S+)$')
    if tonumber(ends) > now and tonumber(count) > 0 then
      store(key, (count - 1) .. ' ' .. ends, tonumber(ends), now, margin)
    end
  end
end
return {}
`)

/**
 * `revoke(order, expiry) id expiresAt trimBefore`: two sorted sets of ids, by the place in which
 * they came and by their end. A place is the server's time in µs, so that one that was promoted
 * without the last writes goes on behind them; a clock that went back is overruled.
 */
export const REVOKE = script(`
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[3], 'LIMIT', 0, 100)) do
  redis.call('ZREM', KEYS[1], old)
  redis.call('ZREM', KEYS[2], old)
end
local known = redis.call('ZSCORE', KEYS[2], ARGV[1])
if known and tonumber(known) >= tonumber(ARGV[2]) then return {0} end
local time = redis.call('TIME')
local place = tonumber(time[1]) * 1000000 + tonumber(time[2])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then place = math.max(place, tonumber(last[2]) + 1) end
redis.call('ZADD', KEYS[1], text(place), ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])
return {1}
`)

/**
 * `revocations(order, expiry) cursor limit` → `[cursor, lost, id, expiresAt, …]`, the ids whose
 * place is behind the cursor. A cursor at which there is none reads as 0 and is 1 as lost: a server
 * that lost it may have places behind it already. It may also have been trimmed, or prolonged.
 */
export const REVOCATIONS = script(`
local from, lost = ARGV[1], 0
if from ~= '0' and #redis.call('ZRANGEBYSCORE', KEYS[1], from, from, 'LIMIT', 0, 1) == 0 then
  from, lost = '0', 1
end
local found = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. from, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local reply = {from, lost}
for i = 1, #found, 2 do
  reply[1] = found[i + 1]
  reply[#reply + 1] = found[i]
  reply[#reply + 1] = redis.call('ZSCORE', KEYS[2], found[i]) or '0'
end
return reply
`)

function script(body: string): RedisScript {
  const lua = RECORDS + body
  return { lua, sha: createHash('sha1').update(lua).digest('hex') }
}
