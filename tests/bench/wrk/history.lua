-- The newest entries of a user's account.
local pace = require("pace")

pace.in_turn(function(token)
    return wrk.format("GET", "/user/getBalanceHistory?limit=20", pace.headers(token))
end)
