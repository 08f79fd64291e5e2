-- Says whose journal is there, and begins an epoch where its server is another than before.
--
-- KEYS: the hash that says whose the records are.
-- ARGV: the version of this form; the city; the server's own name of its run; a name for a new journal, or nothing where none is to be
-- laid out.
-- Gives: the form's version, the city, the journal's name, the epoch, and the run it began with.
local meta = KEYS[1]
local form, city, run, name = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

if redis.call('EXISTS', meta) == 0 and name ~= '' then
    redis.call('HSET', meta, 'form', form, 'city', city, 'name', name, 'epoch', '1', 'run', run)
end
local found = redis.call('HMGET', meta, 'form', 'city', 'name', 'epoch', 'run')
-- What is not known here is left as it is.
if found[1] ~= form or found[2] ~= city then
    return found
end
-- A server that was started, or took over, may lack what another had: what phones know of it is worth nothing.
if found[5] ~= run then
    redis.call('HSET', meta, 'run', run)
    redis.call('HINCRBY', meta, 'epoch', 1)
end
return redis.call('HMGET', meta, 'form', 'city', 'name', 'epoch', 'run')
