-- One item from the balance; the lines are the items on sale, each of nine digits.
local pace = require("pace")
local heads, at = {}

local function body(item)
    return '{"type":"items","items":"' .. item .. '","tos_timestamp":1706745600}'
end

function init(args)
    pace.begin(args)
    at = pace.used
    for i, token in ipairs(pace.tokens) do
        local whole = wrk.format("POST", "/payment/mannco", pace.headers(token), body("000000000"))
        heads[i] = whole:sub(1, #whole - #body("000000000"))
    end
end

function request()
    at = at + 1
    if at >= #pace.lines then pace.exhausted() end
    return heads[at % #heads + 1] .. body(pace.lines[math.min(at, #pace.lines)])
end
