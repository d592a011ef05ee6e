-- A deposit, one user after the other.
local pace = require("pace")
local requests, at = {}, 0

function init(args)
    pace.begin(args)
    local body = '{"type":"balance","value":2500,"tos_timestamp":1706745600}'
    for i, token in ipairs(pace.tokens) do
        requests[i] = wrk.format("POST", "/payment/payviox", pace.headers(token), body)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end
