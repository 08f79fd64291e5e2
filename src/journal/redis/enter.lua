-- Lays the journal out where there is none, and begins an epoch where its server is another than before.
--
-- KEYS: the hash that says whose the records are.
-- ARGV: the version of this form; the city; a name for a new journal; the server's own name of its run.
-- Gives: the form's version, the city, the journal's name, and the epoch.
local meta = KEYS[1]
local form, city, name, run = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('EXISTS', meta) == 0 then
    redis.call('HSET', meta, 'form', form, 'city', city, 'name', name, 'epoch', '1', 'run', run)
end
-- A server that was started, or took over, may lack what another had: what phones know of it is worth nothing.
if redis.call('HGET', meta, 'run') ~= run then
    redis.call('HSET', meta, 'run', run)
    redis.call('HINCRBY', meta, 'epoch', 1)
end
return redis.call('HMGET', meta, 'form', 'city', 'name', 'epoch')
