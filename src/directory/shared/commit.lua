-- Changes rows of the directory, where nobody else has changed any since `seen`.
--
-- KEYS: the hash of rows, the stream of changes, the hash that says whose city it is.
-- ARGV: epoch and the run it began with; seen: how many changes there were, and the name of the last; the name of this one; how many
-- changes are kept; whether the changed rows are named in the stream; then of each row its key and what it is now (nothing: it is gone).
-- Gives: what came of it.
local rows, log, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, run, seen, last = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local name, kept, named = ARGV[5], ARGV[6], ARGV[7]
local first = 8

if redis.call('HGET', meta, 'epoch') ~= epoch or redis.call('HGET', meta, 'run') ~= run then
    return 'other_epoch'
end
local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
local version, found = 0, ''
if #newest > 0 then
    version, found = tonumber(string.match(newest[1][1], '^%d+')), newest[1][2][2]
end
if version ~= seen or found ~= last then
    return 'behind'
end
local keys = {}
for n = first, #ARGV, 2 do
    if ARGV[n + 1] == '' then
        redis.call('HDEL', rows, ARGV[n])
    else
        redis.call('HSET', rows, ARGV[n], ARGV[n + 1])
    end
    keys[#keys + 1] = named == '1' and ARGV[n] or nil
end
local id = string.format('%.0f-0', version + 1)
redis.call('XADD', log, 'MAXLEN', '~', kept, id, 'name', name, 'named', named, 'keys', table.concat(keys, '\n'))
return 'done'
