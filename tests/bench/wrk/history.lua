-- The newest entries of a user's account.
local pace = require("pace")
local requests, at = {}, 0

function init(args)
    pace.begin(args)
    for i, token in ipairs(pace.tokens) do
        requests[i] = wrk.format("GET", "/user/getBalanceHistory?limit=20", pace.headers(token))
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end
