-- Appends what was decided after the record `seen`, as far as it still holds beside what other nodes wrote since.
--
-- KEYS: the stream of records, the hash that says whose they are, and whose turn it is.
-- ARGV: epoch and the run it began with; seen; the link of the record `seen`; this node; how many records of others are gone through at most; how long a turn
-- lasts, ms; then of each proposal its key, its command and its body.
-- Gives: what came of it; the records of others; of each proposal its position, or 0; the link of the last record.
local journal, meta, turn = KEYS[1], KEYS[2], KEYS[3]
local epoch, run, seen, link = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local node, most, turn_ms = ARGV[5], tonumber(ARGV[6]), ARGV[7]
local first = 8

local function at(position)
    return string.format('%.0f-0', position)
end

local function refused(why)
    return { why, {}, {}, '' }
end

if redis.call('HGET', meta, 'epoch') ~= epoch or redis.call('HGET', meta, 'run') ~= run then
    return refused('other_epoch')
end
-- Whoever decided on a record that is not in here decided on another city.
if seen > 0 then
    local found = redis.call('XRANGE', journal, at(seen), at(seen))
    if #found == 0 then
        -- It may be so old that it was put away: whoever lags behind so far reads first.
        local oldest = redis.call('XRANGE', journal, '-', '+', 'COUNT', 1)
        local is_behind = #oldest > 0 and tonumber(string.match(oldest[1][1], '^%d+')) > seen
        return refused(is_behind and 'behind' or 'forked')
    end
    if found[1][2][6] ~= link then
        return refused('forked')
    end
end
local others = redis.call('XRANGE', journal, at(seen + 1), '+', 'COUNT', most + 1)
if #others > most then
    return refused('behind')
end
local whose = redis.call('GET', turn)
if whose and whose ~= node then
    return { 'turn', others, {}, '' }
end

local last, taken, commands, city = seen, {}, {}, false
for _, other in ipairs(others) do
    local fields = other[2]
    last, link = last + 1, fields[6]
    taken[fields[2]], commands[fields[4]] = true, true
    city = city or fields[2] == 'city'
end
local positions, city_lost = {}, false
for n = first, #ARGV, 3 do
    local key, command, body = ARGV[n], ARGV[n + 1], ARGV[n + 2]
    if city or taken[key] or commands[command] or (key == 'city' and #others > 0) then
        positions[#positions + 1] = 0
        city_lost = city_lost or key == 'city'
    else
        last = last + 1
        link = redis.sha1hex(link .. at(last) .. body)
        redis.call('XADD', journal, at(last), 'key', key, 'command', command, 'link', link, 'body', body)
        positions[#positions + 1] = last
    end
end
-- Who has to touch the whole city finds it moved again and again while others are busy: they let it go first, for a moment.
if city_lost then
    redis.call('SET', turn, node, 'PX', turn_ms, 'NX')
elseif whose and #ARGV >= first then
    redis.call('DEL', turn)
end
return { 'done', others, positions, link }
