-- The same deposits again under the same keys, whose answers are kept.
local pace = require("pace")
local body = '{"type":"balance","value":2500,"tos_timestamp":1706745600}'

pace.in_turn(function(token, number)
    local headers = pace.headers(token)
    headers["Idempotency-Key"] = "bench-" .. number
    return wrk.format("POST", "/payment/payviox", headers, body)
end)
