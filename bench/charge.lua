-- wrk: POST a charge of a random user with a fresh Idempotency-Key each time.
-- Argument: a file of user ids, one a line.

local threads = 0

function setup(thread)
	thread:set("thread_number", threads)
	threads = threads + 1
end

function init(args)
	users = {}
	for line in io.lines(args[1]) do
		users[#users + 1] = line
	end
	math.randomseed(os.time() * 64 + thread_number)
	headers = { ["Content-Type"] = "application/json" }
end

-- A UUIDv7, as a client that reads PROTOCOL.md makes its keys: they ascend, and so do the job ids.
local function key()
	local ms = os.time() * 1000
	return string.format("%08x-%04x-7%03x-8%03x-%04x%08x", math.floor(ms / 65536), ms % 65536,
		math.random(0, 0xfff), math.random(0, 0xfff), math.random(0, 0xffff),
		math.random(0, 0x7fffffff))
end

function request()
	headers["Idempotency-Key"] = key()
	return wrk.format("POST", nil, headers,
		'{"userId":"' .. users[math.random(#users)] .. '","amount":1000}')
end

-- No response(): parsing headers here would take time from what is measured. wrk counts what is
-- over 399 by itself; which statuses there were is in nginx's log.
dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "summary.lua")
