-- Puts the oldest records of the stream away as a pack, and takes them out of the stream.
--
-- KEYS: the stream of records, the hash that says whose city it is, the packs by their last record, the pack.
-- ARGV: epoch and the run it began with; the pack's first and last record, and the link of the last; the pack.
-- Gives: whether it was done; another node may have done it.
local journal, meta, packs, pack = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local epoch, run, first, last, link, bytes = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

if redis.call('HGET', meta, 'epoch') ~= epoch or redis.call('HGET', meta, 'run') ~= run then
    return 0
end
local oldest = redis.call('XRANGE', journal, '-', '+', 'COUNT', 1)
local newest = redis.call('XRANGE', journal, last .. '-0', last .. '-0')
if #oldest == 0 or oldest[1][1] ~= first .. '-0' or #newest == 0 or newest[1][2][6] ~= link then
    return 0
end
redis.call('SET', pack, bytes)
redis.call('ZADD', packs, last, first)
redis.call('XTRIM', journal, 'MINID', (tonumber(last) + 1) .. '-0')
return 1
