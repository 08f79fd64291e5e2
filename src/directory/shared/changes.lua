-- Tells which rows of the directory changed since `seen`, and what they are now.
--
-- KEYS: the hash of rows, the stream of changes, the hash that says whose city it is.
-- ARGV: epoch and the run it began with; seen: how many changes there were, and the name of the last; how many rows are told at most.
-- Gives: `same`, `rows`, or `whole` where all are to be read, or `other_epoch`; how many changes there are, and the name of the last; then of each row
-- its key and what it is now (nil: it is gone).
local rows, log, meta = KEYS[1], KEYS[2], KEYS[3]
local epoch, run, seen, last, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], tonumber(ARGV[5])

-- Where nothing is there any more, that is no reason to forget everybody.
if redis.call('HGET', meta, 'epoch') ~= epoch or redis.call('HGET', meta, 'run') ~= run then
    return { 'other_epoch', 0, '', {} }
end

local newest = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)
local version, name = 0, ''
if #newest > 0 then
    version, name = tonumber(string.match(newest[1][1], '^%d+')), newest[1][2][2]
end
if version == seen and name == last then
    return { 'same', version, name, {} }
end
local whole = { 'whole', version, name, {} }
local id = string.format('%.0f-0', seen)
local entries = redis.call('XRANGE', log, id, '+', 'COUNT', most + 1)
-- Whoever saw a change that is not here saw another directory, or is further behind than changes are kept.
if seen == 0 or #entries == 0 or entries[1][1] ~= id or entries[1][2][2] ~= last or #entries > most then
    return whole
end
local told, changed = {}, {}
for n = 2, #entries do
    local fields = entries[n][2]
    if fields[4] ~= '1' then
        return whole
    end
    for key in string.gmatch(fields[6], '[^\n]+') do
        if not told[key] then
            told[key] = true
            changed[#changed + 1] = key
        end
    end
    if #changed > most then
        return whole
    end
end
local found = {}
for _, key in ipairs(changed) do
    found[#found + 1] = key
    found[#found + 1] = redis.call('HGET', rows, key)
end
return { 'rows', version, name, found }
