-- A deposit, one user after the other.
local pace = require("pace")
local body = '{"type":"balance","value":2500,"tos_timestamp":1706745600}'

pace.in_turn(function(token)
    return wrk.format("POST", "/payment/payviox", pace.headers(token), body)
end)
