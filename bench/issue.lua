-- wrk: POST {"userId"} of each user of a file once, every thread a share of its own; when they run out,
-- of the last one, which is refused. Arguments: the file, how many threads.

local threads = 0

function setup(thread)
	thread:set("thread_number", threads)
	threads = threads + 1
end

function init(args)
	bodies = {}
	local number, share = 0, tonumber(args[2])
	for line in io.lines(args[1]) do
		if number % share == thread_number then
			bodies[#bodies + 1] = '{"userId":"' .. line .. '"}'
		end
		number = number + 1
	end
	headers = { ["Content-Type"] = "application/json" }
	next_one = 0
end

function request()
	if next_one < #bodies then
		next_one = next_one + 1
	end
	return wrk.format("POST", nil, headers, bodies[next_one])
end

dofile(debug.getinfo(1, "S").source:match("^@(.*/)") .. "summary.lua")
