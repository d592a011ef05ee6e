-- What all jobs share. A thread sends for `seconds`, then lets what is on its way arrive: wrk itself
-- would cut those requests off, and the database could not be compared with the answers.
-- A line {"sent":N} says at once that nobody waits for an answer any more; wrk ends later.
-- Arguments after wrk's --: seconds, connections, lines of the job's that are used up, file of tokens,
-- file of the job's own lines.
local ffi = require("ffi")
ffi.cdef [[
typedef struct { long seconds; long nanoseconds; } moment;
int clock_gettime(int clock, moment *ret);
]]
local at = ffi.new("moment")

local function now()
    ffi.C.clock_gettime(1, at)
    return tonumber(at.seconds) + tonumber(at.nanoseconds) / 1e9
end

local pace = { tokens = {}, lines = {} }
local start, stop, connections

local function read(name, list)
    if name == nil then return end
    for line in io.lines(name) do list[#list + 1] = line end
end

-- In init(args).
function pace.begin(args)
    connections, pace.used = tonumber(args[2]), tonumber(args[3])
    read(args[4], pace.tokens)
    read(args[5], pace.lines)
    start = now()
    stop = start + tonumber(args[1])
    sent, took, ran_out, silent = 0, 0, 0, 0
end

function pace.over()
    return ran_out == 1 or now() >= stop
end

-- Nothing more is left to send.
function pace.exhausted()
    ran_out = 1
end

-- The headers that a client of an API sends.
function pace.headers(token)
    return { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
end

-- For jobs whose requests stand from the start, one of each token: make(token, its number) formats it, and
-- they are sent in turn.
function pace.in_turn(make)
    local requests, last = {}, 0
    function init(args)
        pace.begin(args)
        for i, token in ipairs(pace.tokens) do requests[i] = make(token, i) end
    end

    function request()
        last = last % #requests + 1
        return requests[last]
    end
end

local thread
function setup(one)
    thread = one
end

-- Milliseconds until a connection's next request; called when its last one was answered, if there was any.
function delay()
    if not pace.over() then
        sent = sent + 1
        return 0
    end
    took = now() - start
    silent = silent + 1
    if silent == connections then
        print(('{"sent":%d}'):format(sent))
        io.flush()
    end
    return 3600000
end

function done(summary, latency)
    local errors = summary.errors
    local form = '{"answers":%d,"refused":%d,"broken":%d,"p50":%.3f,"p99":%.3f,"max":%.3f,"seconds":%.4f,"cut":%d,"ran_out":%d}'
    print(form:format(
        summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, thread:get("took"),
        thread:get("sent") - summary.requests, thread:get("ran_out")))
end

return pace
