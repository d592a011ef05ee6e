-- Notices of payments that have succeeded; a line is a signature, a space and the body.
local pace = require("pace")
local at

function init(args)
    pace.begin(args)
    at = pace.used
end

function request()
    at = at + 1
    if at >= #pace.lines then pace.exhausted() end
    local line = pace.lines[math.min(at, #pace.lines)]
    return "POST /webhook/payviox HTTP/1.1\r\nHost: " .. wrk.headers["Host"] .. "\r\nContent-Type: application/json\r\nSignature: " ..
        line:sub(1, 64) .. "\r\nContent-Length: " .. (#line - 65) .. "\r\n\r\n" .. line:sub(66)
end
