-- What is on a user's balance?
local pace = require("pace")

pace.in_turn(function(token)
    return wrk.format("GET", "/user/balance", pace.headers(token))
end)
